"""docs/reference/names.md is made from the code (`UPDATE_DOCS=1`)."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path

from support.documented import members, table

from dagster_dailystory.model.change import Outcome, Reason
from dagster_dailystory.model.contact_fields import CONTACT_FIELDS, FieldKind
from dagster_dailystory.model.mapping import Invalid, Nulls
from dagster_dailystory.model.partitions import OTHER_VALUES, HashBuckets, TimeWindows
from dagster_dailystory.model.runs.adoption import AdoptionOutcome
from dagster_dailystory.model.runs.plan import PlanStatus, PlanSummary
from dagster_dailystory.model.runs.report import OUTCOMES, SyncReport
from dagster_dailystory.model.settings import attribute_texts
from dagster_dailystory.model.sync import Scope

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "names.md"
HEAD = """# Names

The names that a sync uses and shows. This page is made from the code. The settings of a sync are
[in Python](python.md#contactsync), those of the assets and resources [in Dagster](dagster.md), and the columns of the
state tables in [State tables](tables.md).
"""


def test_the_reference_is_that_of_the_code() -> None:
    page = "\n".join([HEAD, *sections()])
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page


def sections() -> Iterator[str]:
    yield section(
        "Contact fields",
        "The keys of `fields`. Any other name is a custom field and belongs in `extended_properties`.",
        ("field", "kind", "longest"),
        ((f"`{f.name}`", f.kind.value, length(f.kind, f.max_length)) for f in CONTACT_FIELDS.values()),
    )
    kinds = (kind for kind in FieldKind if kind is not FieldKind.REGION)
    yield section(
        "Kinds of values",
        f"A NULL and a blank text are never sent, unless `nulls` is `{Nulls.CLEAR.value}`. Another value is invalid:\n"
        f"it rejects its row, or is left out if `invalid` is `{Invalid.DROP_FIELD.value}`.",
        ("kind", "accepted values"),
        ((kind.value, members(FieldKind)[kind.name]) for kind in kinds),
    )
    yield of_enum("Reasons", "Why a row is rejected, held, or was refused.", Reason)
    yield of_enum("Scopes", "Which rows a run looks at.", Scope)
    yield of_enum("Plan statuses", "The column `status` of `dailystory_plans`.", PlanStatus)
    outcomes = ((f"`{name}`", text) for name, text in OUTCOMES.items())
    yield section("Outcomes of a run", "The column `outcome` of `dailystory_runs`.", ("outcome", "meaning"), outcomes)
    yield of_enum("Outcomes of a change", "The column `outcome` of the table of changes.", Outcome)
    yield of_enum("Outcomes of an adoption", "The column `outcome` of the table of look-ups.", AdoptionOutcome)
    counts = attributes(SyncReport)
    numbers = SyncReport("a sync", "a plan", "done").numbers()
    yield section(
        "Counts of a run",
        "`rows_read = rows_unchanged + rows_to_create + rows_to_update + rows_rejected + rows_held`.",
        ("count", "meaning"),
        ((f"`{name}`", counts[name]) for name in numbers),
    )
    planned = attributes(PlanSummary)
    names = [each.name for each in dataclasses.fields(PlanSummary) if each.name not in numbers]
    rows = ((f"`{name}`", planned[name]) for name in names)
    yield section(
        "A plan",
        "What `plan_contact_sync` returns beside these counts.",
        ("attribute", "meaning"),
        rows,
    )
    buckets = ", ".join(f"`{name}`" for name in HashBuckets(12).names[:2])
    months, hours = (TimeWindows("at", every, start="2024-01-01").names[0] for every in ("monthly", "hourly"))
    yield (
        f"## Partition names\n\n`HashBuckets(12)` has the partitions {buckets} and so on; `ColumnValues` has one for\n"
        f"each value, and `{OTHER_VALUES}` for all other rows. A time window is named by its start: `{months}`, and\n"
        f"`{hours}` for an hour.\n"
    )


def length(kind: FieldKind, characters: int) -> str:
    is_text = kind in (FieldKind.TEXT, FieldKind.EMAIL)
    return f"{characters} characters" if is_text else ""


def of_enum(title: str, text: str, enum: type[Enum]) -> str:
    documented = members(enum)
    rows = ((f"`{member.value}`", documented[member.name]) for member in enum)
    return section(title, text, ("name", "meaning"), rows)


def section(title: str, text: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return f"## {title}\n\n{text}\n\n{table(columns, rows)}"


def attributes(cls: type) -> dict[str, str]:
    """Attribute -> its text in the docstring of the class, or of one that it inherits from."""
    texts = {name: text for each in reversed(cls.__mro__) for name, text in attribute_texts(each).items()}
    return {name: text.replace("|", "\\|") for name, text in texts.items()}
