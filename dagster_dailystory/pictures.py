"""Pictures of counts, made of nothing but text: SVG inside markdown, where a person would rather look than read."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape

_BAR, _RAIL, _INK = "#4f43dd", "#e6e8f0", "#1f2430"
_WIDTH = 640
_LONGEST_LABEL = 26


def bars(title: str, counts: Mapping[str, int], limit: int = 20) -> str:
    """Draw counts as horizontal bars, the largest first, at most `limit` of them."""
    rows = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:limit]
    most = max((count for _, count in rows), default=0) or 1
    parts = []
    for place, (label, count) in enumerate(rows):
        y = 34 + 24 * place
        name = label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"
        parts += [
            _text(8, y + 13, name),
            f'<rect x="200" y="{y}" width="360" height="16" rx="3" fill="{_RAIL}"/>',
            f'<rect x="200" y="{y}" width="{max(2, round(360 * count / most))}" height="16" rx="3" fill="{_BAR}"/>',
            _text(570, y + 13, f"{count:,}"),
        ]
    return _picture(title, 36 + 24 * len(rows), parts)


def curve(title: str, points: Sequence[tuple[float, int]]) -> str:
    """Draw how a count grows with the time.

    Args:
        title: What is counted.
        points: Seconds and counts, both never falling; at least two.
    """
    left, right, top, bottom = 70, 620, 40, 200
    seconds, most = max(points[-1][0], 1e-9), max(points[-1][1], 1)
    places = [
        (left + (right - left) * moment / seconds, bottom - (bottom - top) * count / most) for moment, count in points
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts = [f'<line x1="{left}" y1="{y}" x2="{right}" y2="{y}" stroke="{_RAIL}"/>' for y in (top, 120, bottom)]
    parts += [
        f'<polyline points="{line}" fill="none" stroke="{_BAR}" stroke-width="2.5"/>',
        _text(left - 8, top + 4, f"{most:,}", "end"),
        _text(left - 8, bottom + 4, "0", "end"),
        _text(left, bottom + 20, "0 s"),
        _text(right, bottom + 20, _duration(seconds), "end"),
    ]
    return _picture(title, 232, parts)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"


def _text(x: int, y: int, text: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" font-size="12" fill="{_INK}" text-anchor="{anchor}">{escape(text)}</text>'


def _picture(title: str, height: int, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" font-family="sans-serif">'
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>'
        f'<text x="8" y="20" font-size="13" font-weight="bold" fill="{_INK}">{escape(title)}</text>'
    )
    picture = base64.b64encode("".join([head, *parts, "</svg>"]).encode()).decode()
    return f"![{title}](data:image/svg+xml;base64,{picture})"
