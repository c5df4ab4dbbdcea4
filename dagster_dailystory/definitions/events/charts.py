"""Charts for metadata: SVG images embedded in Markdown."""

import base64
from collections.abc import Mapping, Sequence
from html import escape

INLINE_CHARACTERS = 1_000
"""Longest Markdown that Dagster's pages show inline; longer text is behind a click."""


_WIDTH, _LEFT, _RIGHT = 460, 130, 400


_BAR, _AXIS = "#4f43dd", "#e6e8f0"


_LONGEST_LABEL = 16


_MOST_POINTS = 24


def bars(title: str, counts: Mapping[str, int], limit: int = 5) -> str:
    """Draw counts as horizontal bars, the largest first.

    Args:
        title: Alternative text: what is counted.
        counts: Label -> count.
        limit: Largest number of bars; five fit inline.
    """
    rows = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:limit]
    most = max((count for _, count in rows), default=0) or 1
    texts, path = [], ""
    for index, (label, count) in enumerate(rows):
        y = 6 + 22 * index
        name = label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"
        texts += [_text(4, y + 12, name), _text(_RIGHT + 6, y + 12, f"{count:,}")]
        path += f"M{_LEFT} {y}h{max(2, round((_RIGHT - _LEFT) * count / most))}v15H{_LEFT}z"
    return _image(title, 10 + 22 * len(rows), [*texts, f'<path fill="{_BAR}" d="{path}"/>'])


def curve(title: str, points: Sequence[tuple[float, int]]) -> str:
    """Draw how a count grows over time.

    Args:
        title: Alternative text: what is counted.
        points: Seconds and counts, at least two points, neither ever decreasing.
    """
    left, top, bottom = 60, 10, 130
    seconds, most = max(points[-1][0], 1e-9), max(points[-1][1], 1)
    step = -(-len(points) // _MOST_POINTS)
    chosen = [*points[:-1:step], points[-1]]
    line = " ".join(
        f"{left + (_RIGHT - left) * elapsed / seconds:.0f},{bottom - (bottom - top) * count / most:.0f}"
        for elapsed, count in chosen
    )
    parts = [
        f'<path stroke="{_AXIS}" d="M{left} {top}H{_RIGHT}M{left} {bottom}H{_RIGHT}"/>',
        f'<polyline points="{line}" fill="none" stroke="{_BAR}" stroke-width="2"/>',
        _text(4, top + 4, f"{most:,}"),
        _text(4, bottom + 4, "0"),
        _text(_RIGHT - 30, bottom + 16, _duration(seconds)),
    ]
    return _image(title, bottom + 24, parts)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"


def _text(x: int, y: int, text: str) -> str:
    return f'<text x="{x}" y="{y}">{escape(text)}</text>'


def _image(title: str, height: int, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'style="font:12px sans-serif;background:#fff">'
    )
    encoded = base64.b64encode("".join([head, *parts, "</svg>"]).encode()).decode()
    return f"![{title}](data:image/svg+xml;base64,{encoded})"
