"""Google docstrings as Markdown: a public name with its signature, its settings, its errors and its example."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from enum import Enum
from typing import is_typeddict

from pydantic import BaseModel
from support.documented import table

SECTION = re.compile(r"^(Args|Attributes|Returns|Yields|Raises|Example):\n((?:(?:    .*)?\n)*)", flags=re.MULTILINE)
ENTRY = re.compile(r"^    \**(\w+): (.*(?:\n {8,}.*)*)", flags=re.MULTILINE)


def documented(value: object) -> Iterator[str]:
    """The parts of a public name's chapter, below its heading."""
    text = inspect.getdoc(value) or ""
    sections = {found[1]: found[2] for found in SECTION.finditer(text + "\n")}
    yield SECTION.sub("", text + "\n").strip()
    if settings := list(rows(value, sections.get("Args", ""))):
        yield table(("setting", "default", "meaning"), settings).rstrip()
    if "Returns" in sections:
        yield f"**Returns** {one_line(sections['Returns'])}"
    if "Raises" in sections:
        errors = [f"* `{error}`: {one_line(why)}" for error, why in ENTRY.findall(sections["Raises"])]
        yield "**Raises**\n\n" + "\n".join(errors)
    if "Example" in sections:
        yield inspect.cleandoc(sections["Example"])


def rows(value: object, arguments: str) -> Iterator[tuple[str, str, str]]:
    """Setting, default and meaning: of a model's fields, a function's arguments, a class's attributes."""
    if isinstance(value, type) and issubclass(value, BaseModel):
        for name, field in value.model_fields.items():
            default = field.get_default(call_default_factory=True)
            yield (
                f"`{field.alias or name}`",
                "required" if field.is_required() else shown(default),
                cell(field.description or ""),
            )
        return
    listed = dict(ENTRY.findall(arguments))
    texts = (attribute_texts_of(value) or listed) if isinstance(value, type) else listed
    defaults = {}
    if texts and callable(value) and not is_typeddict(value):
        parameters = inspect.signature(value).parameters.items()
        defaults = {name: each.default if each.kind is not each.VAR_KEYWORD else None for name, each in parameters}
    for name, text in texts.items():
        yield f"`{name}`", shown(defaults[name]) if name in defaults else "", cell(text)


def attribute_texts_of(documented: type) -> dict[str, str]:
    """Attribute -> its text in the docstring of the class, or of one that it inherits from."""
    docstrings = (inspect.cleandoc(each.__doc__ or "") + "\n" for each in reversed(documented.__mro__))
    listed = (found[2] for text in docstrings for found in SECTION.finditer(text) if found[1] == "Attributes")
    return {name: text for entries in listed for name, text in ENTRY.findall(entries)}


def shown(default: object) -> str:
    if default is inspect.Parameter.empty:
        return "required"
    value = default.value if isinstance(default, Enum) else default
    if value is None or repr(value) == "<factory>" or value in ([], {}, ()):
        return "none"
    text = repr(value).replace("'", '"')
    return "see the text" if "(" in text else f"`{text}`"


def cell(text: str) -> str:
    return one_line(text).replace("|", "\\|")


def one_line(text: str) -> str:
    return " ".join(text.split())
