"""What an examination found, as findings that a terminal shows line by line. It has no personal data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class FindingStatus(str, Enum):
    """Whether something is as it should be."""

    OK = "ok"
    """As it should be."""
    WARNING = "warning"
    """Not as assumed, or not found out; runs go on."""
    FAILED = "failed"
    """A run would fail."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was examined.

    Attributes:
        name: What was examined: `token`, `clock`, or the number and the name of a question of
            docs/explanation/service.md.
        status: Whether it is as it should be.
        seen: What was seen.
        advice: What to do; empty if nothing is to be done.
        answer: The answer to the question by its name in docs/explanation/service.md; empty if it was not found out.
    """

    name: str
    status: FindingStatus
    seen: str
    advice: str = ""
    answer: str = ""

    def __str__(self) -> str:
        advice = f" - {self.advice}" if self.advice else ""
        return f"{self.status.value:<8} {self.name}: {self.seen}{advice}"


@dataclass(frozen=True, slots=True)
class ExaminationReport:
    """What an examination found.

    Attributes:
        sync_name: The sync.
        findings: Grants, state, service, token, account, clock and rate.
        answers: How DailyStory answered the questions of docs/explanation/service.md; empty without a confirmed
            `probe_email`.
        announced: What a confirmed examination would make in DailyStory, if it was not confirmed.
        remaining: What an examination made in DailyStory, and what is still there.
    """

    sync_name: str
    findings: tuple[Finding, ...]
    answers: tuple[Finding, ...] = ()
    announced: tuple[str, ...] = ()
    remaining: tuple[str, ...] = ()

    @property
    def is_healthy(self) -> bool:
        """Whether a run could work."""
        return all(each.status is not FindingStatus.FAILED for each in self.findings)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Whatever is not as it should be."""
        return tuple(each for each in (*self.findings, *self.answers) if each.status is not FindingStatus.OK)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"sync {self.sync_name}"
        yield from map(str, self.findings)
        for title, lines in (
            ("Does DailyStory behave as assumed?", [str(each) for each in self.answers]),
            ("Nothing was made. Confirmed (--yes), this makes in DailyStory:", self.announced),
            ("This remains in DailyStory:", self.remaining),
        ):
            if lines:
                yield f"\n{title}"
                yield from lines
