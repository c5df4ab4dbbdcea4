"""What an undo does, or did, as counts by reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from dagster_dailystory.engine.upkeep.undo.decisions import Kept
from dagster_dailystory.model.runs.plan import PlanSummary, counted, some
from dagster_dailystory.model.runs.report import SyncReport

MOST_KEYS = 10
"""Most keys that are named for one reason; the plan has all of them."""


class Created(str, Enum):
    """What happens to the contacts that the run created and whose rows the source no longer has."""

    KEEP = "keep"
    DEACTIVATE = "deactivate"
    DELETE = "delete"


@dataclass(frozen=True)
class UndoSettings:
    """What is taken back, and how.

    Attributes:
        run_id: The run.
        created: What happens to contacts that it created and whose rows the source no longer has.
        dry_run: Store the plan as a preview that can never be sent.
    """

    run_id: str
    created: Created = Created.KEEP
    dry_run: bool = True


@dataclass(frozen=True)
class UndoReport:
    """What an undo would do (a dry run), or did.

    Attributes:
        run_id: The run that is taken back.
        plan: The header of the plan; its changes are in the state like those of any other plan.
        sent: The counts of the send; None for a dry run, or if nothing had to be sent.
        contacts_written: Contacts that the run wrote to.
        contacts_undone: Contacts of which at least one field is taken back, or that are taken out.
        fields_undone: Field -> contacts in which it is taken back.
        fields_kept: Field -> why it is left as it is -> contacts.
        contacts_kept: Why a contact is left as it is -> contacts of which nothing is taken back.
        keys_kept: Why a contact, or a field of it, is left as it is -> the first keys, as logs may show them.
    """

    run_id: str
    plan: PlanSummary
    sent: SyncReport | None
    contacts_written: int
    contacts_undone: int
    fields_undone: Mapping[str, int] = field(default_factory=dict)
    fields_kept: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    contacts_kept: Mapping[str, int] = field(default_factory=dict)
    keys_kept: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        """Lines for a terminal: what is taken back, what is left and why, and what to do next."""
        verb = "would take back" if self.sent is None else "takes back"
        lines = [
            f"undo of run {self.run_id} of sync {self.plan.sync_name}: wrote to"
            f" {some(self.contacts_written, 'contact', 'contacts')}; plan {self.plan.plan_id} {verb} what it wrote to"
            f" {self.contacts_undone:,}"
        ]
        if self.fields_undone:
            lines.append(f"  fields taken back: {counted(self.fields_undone)}")
        lines += [f"  {name} is left: {counted(reasons)}" for name, reasons in sorted(self.fields_kept.items())]
        if self.contacts_kept:
            lines.append(f"  contacts left as they are: {counted(self.contacts_kept)}")
        reasons = {reason for each in (self.contacts_kept, *self.fields_kept.values()) for reason in each}
        for reason in Kept:
            if reason.value in reasons:
                lines.append(f"  {reason.value}: {reason.text}{_listed(self.keys_kept.get(reason.value, ()))}")
        failed = [guard for guard in self.plan.guards if not guard.passed]
        lines += [f"  blocked by {guard.name}: {guard.message}" for guard in failed]
        if self.sent is not None:
            lines.append(f"  {self.sent}")
        return "\n".join(lines)


def _listed(keys: Sequence[str]) -> str:
    if not keys:
        return ""
    more = " …" if len(keys) == MOST_KEYS else ""
    return f" (key{'s' if len(keys) > 1 else ''} {', '.join(keys)}{more})"
