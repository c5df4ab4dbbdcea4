"""Alternating rounds, with each contender in a process of its own, and the medians of the rounds."""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.contenders import Task

Measured = Mapping[str, float]
"""`seconds`, `cpu_seconds`, `peak_mb`, and the counts that the contender returned."""


def in_a_process(name: str, task: Task) -> Measured:
    """Run one contender in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.contenders", name, task.encoded()]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: Measured = json.loads(done.stdout.splitlines()[-1])
    return measured


@dataclass
class Contest:
    """The same work done by several contenders in turn.

    Attributes:
        title: The work.
        rounds: Number of rounds.
        results: Contender -> measurements of each round.
    """

    title: str
    rounds: int
    results: dict[str, list[Measured]] = field(default_factory=dict)

    def run(self, contenders: Mapping[str, Callable[[], Measured]]) -> Contest:
        """Run all contenders in each round: A B C A B C."""
        print(f"{self.title}", file=sys.stderr, flush=True)
        for number in range(self.rounds):
            for name, contender in contenders.items():
                measured = contender()
                self.results.setdefault(name, []).append(measured)
                print(f"  {number + 1} {name}: {measured['seconds']:.2f} s", file=sys.stderr, flush=True)
        return self

    def median(self, name: str, fact: str) -> float:
        """The median over the rounds; NaN if it was not measured."""
        return statistics.median(measured.get(fact, math.nan) for measured in self.results[name])

    def ratio(self, name: str, other: str, fact: str) -> float:
        """The median of the ratios of two contenders, each within one round: other work is the same for both."""
        pairs = zip(self.results[name], self.results[other], strict=True)
        return statistics.median(one[fact] / two[fact] for one, two in pairs)

    def contacts_per_second(self, name: str) -> float:
        """Contacts divided by the total time of the contender."""
        return self.median(name, "contacts") / self.median(name, "seconds")
