"""What the canary of a plan found: whether the first contacts hold what was written to them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from dagster_dailystory.model.change import SHOWN_KEYS

FIRST_SEND_ROWS = 20
"""The canary of the first send, where `canary_rows` is not set."""


@dataclass(frozen=True)
class CanaryReport:
    """What a canary found, without personal data.

    Attributes:
        contacts_read: Contacts that were written and read back.
        contacts_differing: Those of them that hold another value than was written.
        contacts_missing: Those of them that DailyStory did not find.
        fields: Field -> contacts in which it has another value.
        keys: A few keys of differing and missing contacts, as logs may show them.
    """

    contacts_read: int
    contacts_differing: int = 0
    contacts_missing: int = 0
    fields: Mapping[str, int] = field(default_factory=dict)
    keys: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether each contact holds what was written."""
        return not (self.contacts_differing or self.contacts_missing)

    def __str__(self) -> str:
        """One line with the counts, the fields and the keys."""
        if self.passed:
            return f"each of {self.contacts_read:,} contacts that were read back holds what was written"
        fields = ", ".join(f"{name} in {count:,}" for name, count in sorted(self.fields.items()))
        found = {
            f"{self.contacts_differing:,} hold another value than was written ({fields})": self.contacts_differing,
            f"{self.contacts_missing:,} were not found": self.contacts_missing,
        }
        counts = ", ".join(words for words, count in found.items() if count)
        rest = self.contacts_differing + self.contacts_missing - len(self.keys)
        keys = f"{', '.join(self.keys[:SHOWN_KEYS])}{f' and {rest:,} more' if rest > 0 else ''}"
        return f"of {self.contacts_read:,} contacts that were read back, {counts}; keys: {keys}"

    def to_json(self) -> str:
        """The text that the state stores."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | None) -> CanaryReport | None:
        """Read the stored text; None if there is none."""
        if not text:
            return None
        stored = json.loads(text)
        return cls(**{**stored, "keys": tuple(stored["keys"])})
