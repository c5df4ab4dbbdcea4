"""HTML from elements: every text is escaped, because only this module makes markup out of text."""

from __future__ import annotations

from html import escape

_VOID = frozenset({"input", "link", "meta", "br"})


class Markup(str):
    """A text that is HTML already; only `element` and `joined` make one."""

    __slots__ = ()


def _html(content: str) -> str:
    return content if isinstance(content, Markup) else escape(content)


def element(tag: str, /, *contents: str, **attributes: str | bool) -> Markup:
    """Build one element.

    Args:
        tag: Its name.
        *contents: Texts, which are escaped, and other elements.
        **attributes: Their values; True for an attribute without a value, False for none. `class_` stands for `class`,
            and `data_label` for `data-label`.
    """
    shown = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(str(value))}"')
        for key, value in attributes.items()
        if value is not False
    )
    if tag in _VOID:
        return Markup(f"<{tag}{shown}>")
    return Markup(f"<{tag}{shown}>{''.join(map(_html, contents))}</{tag}>")


def joined(*contents: str) -> Markup:
    """Join texts, which are escaped, and elements."""
    return Markup("".join(map(_html, contents)))
