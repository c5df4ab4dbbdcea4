"""A picture of what a command prints, for the documentation: an SVG that is the same for the same text."""

from __future__ import annotations

import re
import textwrap
from html import escape

_COLUMNS, _LINE, _CHARACTER = 110, 18, 7.8

_SAME = (
    (r"\b[0-9]{8}T[0-9]{12}-[0-9a-f]{4}\b", "20261130T060000000000-4f2a"),  # a plan
    (r"\bpython-[0-9a-f]{16}\b", "python-5d0c9a4be1f27386"),  # a run
    (r"\b[0-9a-f]{32}\b", "8c1f0e5a7b3d4e2f9a6b1c2d3e4f5a6b"),  # a contact
    (r"\bid-[0-9a-f]{12}\b", "id-3c593d5fc60f"),  # a key, without its value
    (r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?(\.[0-9]+)?", "2026-11-30 06:00:00"),
    (r"\b[0-9]+(\.[0-9]+)? s\b", "0.1 s"),
    (r"127\.0\.0\.1:[0-9]+", "127.0.0.1:8019"),
)
"""What differs from run to run -> what the picture has in its place."""


def steady(text: str) -> str:
    """A text without what differs from run to run."""
    for pattern, same in _SAME:
        text = re.sub(pattern, same, text)
    return text


def terminal_picture(command: str, output: str) -> str:
    """The picture of a command and what it printed."""
    shown = [f"$ {command}", *steady(output).rstrip().splitlines()]
    lines = [part for line in shown for part in textwrap.wrap(line, _COLUMNS, subsequent_indent="    ") or [""]]
    width, height = round(_COLUMNS * _CHARACTER + 32), len(lines) * _LINE + 28
    texts = "\n".join(
        f'<text x="16" y="{number * _LINE + 28}"{" fill=" + chr(34) + "#8fd18f" + chr(34) if not number else ""}'
        f' xml:space="preserve">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
        f'<rect width="{width}" height="{height}" rx="8" fill="#1b2430"/>\n'
        f'<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="13" fill="#e3e9f0">\n'
        f"{texts}\n</g>\n</svg>\n"
    )
