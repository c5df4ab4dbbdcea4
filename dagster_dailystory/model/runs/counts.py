"""The counts of a plan and of its send: columns, metadata, log lines and pages are derived from them."""

from __future__ import annotations

import inspect
from dataclasses import Field, dataclass, field, fields

from dagster_dailystory.model.change import Outcome


def count(words: str = "", **facts: object) -> int:
    """A field of counts.

    Args:
        words: What a line says after the number; empty if it does not show the count.
        **facts: Further facts of the count.
    """
    return field(default=0, metadata={"words": words, **facts})


@dataclass(frozen=True, kw_only=True)
class PlanCounts:
    """The counts of a plan: columns of `dailystory_plans`, plots of `changes`, and part of each report.

    `rows_read = rows_unchanged + rows_to_create + rows_to_update + rows_rejected + rows_held`.

    Attributes:
        rows_read: Source rows in scope.
        rows_unchanged: Rows without a difference that would be sent.
        rows_to_create: Contacts that the plan creates; in mode `update` contacts to look up, and none is created.
        rows_to_update: Contacts that the plan updates.
        rows_to_delete: Contacts that the plan deletes or deactivates.
        opt_outs_to_send: Contacts that opt out, by a change of their own or by an update of nothing else.
        opt_outs_ahead: Changes of their own among them: they leave before the other changes of their rows.
        opt_outs_pending: Rows whose opt-out waits, because no contact is known for them and none is created.
        rows_rejected: Rows rejected before sending, for example by a row check.
        rows_held: Rows that DailyStory refused before and that have not changed since, and rows beyond `limit`.
        rows_delete_skipped_shared: Contacts of missing keys that are kept, because another sync holds them.
        rows_transferred: Whole rows that left the warehouse to be compared or checked.
        keys_transferred: Keys that left the warehouse with their hash, without those that were looked up.
        bytes_read: An estimate of what left the warehouse for a state in another database; 0 if the state is inside.
    """

    rows_read: int = count()
    rows_unchanged: int = count("unchanged")
    rows_to_create: int = count("to create or look up")
    rows_to_update: int = count("to update")
    rows_to_delete: int = count("to delete or deactivate")
    opt_outs_to_send: int = count()
    opt_outs_ahead: int = count("to opt out")
    opt_outs_pending: int = count()
    rows_rejected: int = count()
    rows_held: int = count("held back")
    rows_delete_skipped_shared: int = count()
    rows_transferred: int = count()
    keys_transferred: int = count()
    bytes_read: int = count()


@dataclass(frozen=True, kw_only=True)
class SendCounts(PlanCounts):
    """The counts of a send, beside those of its plan: columns of `dailystory_runs`, and plots of `contacts`.

    A field knows the outcome that it counts. It is `latest` if a count covers all sends of a plan so far, or changes
    that a later send takes up again; the others are added up.

    Rows that DailyStory refuses are counted in `rows_refused`, not in `rows_rejected`.

    Attributes:
        rows_created: Contacts that were created, or found and overwritten by a create.
        rows_updated: Contacts that were updated.
        rows_deleted: Contacts that were deleted or deactivated.
        rows_mapped: Contacts that were found and not written (mode `create`).
        rows_matched: New rows whose contact existed already, as a look-up showed; they are updated or mapped. A create
            that DailyStory itself matched with a contact counts as created.
        opt_outs_sent: Contacts that this run opted out, or created opted out; not part of the sums of rows.
        opt_outs_pending: Rows and contacts whose opt-out DailyStory has not acknowledged.
        rows_refused: Rows that DailyStory refused; they are held until they change.
        rows_failed: Changes without a final result; the next run sends them again.
        rows_unsent: Those of `rows_failed` that were not tried, because the send stopped before them.
        rows_in_doubt: Changes without a response; their contacts are looked up before anything is sent again.
        rows_conflicted: Rows whose contact or new identity belongs to another row.
        rows_deleted_in_dailystory: Rows whose contact this run found deleted in DailyStory; they are held from then on.
        rows_skipped: Changes that needed no request any more: a newer plan had decided about the row, another row of
            the sync holds the contact, or DailyStory has a value in the fields to fill.
        rows_delete_waiting: Deletions that wait for the next run, because the source could not be asked.
        rows_delete_returned: Deletions that were not sent, because the key is in the source again.
        rows_delete_skipped_shared: Contacts of missing keys that are kept, because another sync holds them.
        api_requests: Requests that were sent.
        api_retries: Requests that repeated another one.
        api_throttled: Responses that asked to wait.
    """

    rows_created: int = count("created", outcome=Outcome.CREATED)
    rows_updated: int = count("updated", outcome=Outcome.UPDATED)
    rows_deleted: int = count("deleted or deactivated", outcome=Outcome.DELETED)
    rows_mapped: int = count("found and not written", outcome=Outcome.MAPPED)
    rows_matched: int = count()
    opt_outs_sent: int = count("opted out", latest=True)
    opt_outs_pending: int = count(latest=True)
    rows_refused: int = count("refused by DailyStory", outcome=Outcome.REJECTED)
    rows_failed: int = count("failed", outcome=Outcome.FAILED, latest=True)
    rows_unsent: int = count("not tried", latest=True)
    rows_in_doubt: int = count("in doubt", outcome=Outcome.IN_DOUBT, latest=True)
    rows_conflicted: int = count("conflicted", outcome=Outcome.CONFLICTED)
    rows_deleted_in_dailystory: int = count("deleted in DailyStory", outcome=Outcome.DELETED_IN_DAILYSTORY)
    rows_skipped: int = count("not needed any more", outcome=Outcome.RECORDED)
    rows_delete_waiting: int = count("deletions wait", outcome=Outcome.WAITING)
    rows_delete_returned: int = count("deletions not sent", outcome=Outcome.RETURNED)
    rows_delete_skipped_shared: int = count("kept for another sync", outcome=Outcome.SHARED)
    api_requests: int = count()
    api_retries: int = count()
    api_throttled: int = count()

    def shown(self, name: str) -> int:
        """A count as a line shows it: failed rows without those that were not tried, which have words of their own."""
        rows: int = getattr(self, name)
        return rows - self.rows_unsent if name == "rows_failed" else rows


def counts_of(kind: type[PlanCounts]) -> dict[str, Field[int]]:
    """The counts that a class declares itself, by name."""
    own = inspect.get_annotations(kind)
    return {each.name: each for each in fields(kind) if each.name in own and "words" in each.metadata}
