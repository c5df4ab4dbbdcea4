"""The results as Markdown and as a plot with a bar for the median of each contender."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks.rounds import Contest

_ROW, _LEFT, _WIDTH = 22, 330, 420


def write(folder: Path, contests: Sequence[Contest], notes: Sequence[str], *, quick: bool) -> Path:
    """Write `<date>.md` and `<date>.svg`; the names of a quick run end in `-quick`."""
    name = f"{date.today().isoformat()}{'-quick' if quick else ''}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.svg").write_text(_plot(contests), encoding="utf-8")
    lines = [f"# Benchmarks of {date.today():%d %B %Y}", "", _machine(), "", f"![medians]({name}.svg)", ""]
    for contest in contests:
        lines += _table(contest)
    lines += ["## Other measurements", "", *(f"* {note}" for note in notes), ""]
    path = folder / f"{name}.md"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _machine() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("sqlalchemy", "duckdb", "psycopg", "aiohttp", "pandas"))
    load = os.getloadavg()[1]
    return (
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {packages}; load average at"
        f" the end {load:.1f}. Medians of alternating rounds, each contender in a process of its own; compare ratios"
        " within a table, not times between tables."
    )


def _table(contest: Contest) -> list[str]:
    first = next(iter(contest.results))
    counts = any("contacts" in each for each in contest.results[first])
    ratio = "x first per contact" if counts else "x first"
    head = ["contender", "s", ratio, "CPU s", "peak MB", *(["contacts/s", "CPU ms per contact"] if counts else [])]
    lines = [f"## {contest.title}", "", f"{contest.rounds} rounds.", "", _line(head), _line(["---"] * len(head))]
    for name in contest.results:
        seconds, cpu = contest.median(name, "seconds"), contest.median(name, "cpu_seconds")
        share = seconds / contest.median(first, "seconds")
        if counts:  # some contenders send fewer contacts
            share = contest.contacts_per_second(first) / contest.contacts_per_second(name)
        cells = [name, f"{seconds:.2f}", f"{share:.2f}", f"{cpu:.2f}"]
        cells.append(_shown(contest.median(name, "peak_mb"), "{:.0f}"))
        if counts:
            contacts = contest.median(name, "contacts")
            cells += [f"{contest.contacts_per_second(name):.0f}", f"{1000 * cpu / contacts:.2f}"]
        lines.append(_line(cells))
    return [*lines, ""]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _shown(value: float, form: str) -> str:
    return "" if math.isnan(value) else form.format(value)


def _plot(contests: Sequence[Contest]) -> str:
    bars, y = [], 10
    for contest in contests:
        values = {name: contest.median(name, "seconds") for name in contest.results}
        bars.append(f'<text x="10" y="{y + 15}" font-weight="bold">{contest.title}</text>')
        y += _ROW
        for name, seconds in values.items():
            length = _WIDTH * seconds / max(values.values())
            colour = "#1f6f5c" if name.startswith("dagster_dailystory") else "#9aa5b1"
            bars += [
                f'<text x="{_LEFT - 8}" y="{y + 15}" text-anchor="end">{name}</text>',
                f'<rect x="{_LEFT}" y="{y + 3}" width="{length:.0f}" height="{_ROW - 6}" fill="{colour}"/>',
                f'<text x="{_LEFT + length + 6:.0f}" y="{y + 15}">{seconds:.2f} s</text>',
            ]
            y += _ROW
        y += 8
    size = f'width="{_LEFT + _WIDTH + 90}" height="{y}"'
    style = 'font-family="sans-serif" font-size="12"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n' + "\n".join(bars) + "\n</svg>\n"
