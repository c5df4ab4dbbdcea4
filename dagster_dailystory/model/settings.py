"""The checks of settings, shared by functions, dataclasses and Dagster configs: their names, types and choices."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import datetime
from enum import Enum
from types import NoneType, UnionType
from typing import NamedTuple, TypeVar, Union, cast, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from typing_extensions import get_type_hints

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.contact_fields import nearest

_Called = TypeVar("_Called", bound=Callable[..., object])

_BY_NAME = inspect.Parameter.KEYWORD_ONLY
_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def named_settings(called: _Called) -> _Called:
    """Let a function or a dataclass refuse unknown and missing settings by name, in place of Python's `TypeError`.

    Editors and mypy see the signature as it is written.
    """
    if isinstance(called, type):
        called.__init__ = _checked(called.__init__, called.__name__)  # type: ignore[misc]
        return called
    return cast(_Called, _checked(called, called.__name__))


def _checked(function: Callable[..., object], owner: str) -> Callable[..., object]:
    parameters = _parameters(function)
    by_place = [each.name for each in parameters if each.kind in _BY_PLACE]

    @functools.wraps(function)
    def checked(*values: object, **settings: object) -> object:
        named = [each for each in parameters if each.name not in by_place[: len(values)]]
        if len(values) > len(by_place):
            raise ConfigurationError(f"{owner} takes its settings by name; write {named[0].name}=…")
        required = [each.name for each in named if each.default is each.empty]
        check_names(owner, settings, [each.name for each in named], required)
        return function(*values, **settings)

    return checked


def _parameters(function: Callable[..., object]) -> list[inspect.Parameter]:
    """The parameters of a function, with the settings of a `**options: Unpack[...]`, which have a default."""
    found = list(inspect.signature(function).parameters.values())
    if not found or found[-1].kind is not inspect.Parameter.VAR_KEYWORD:
        return found
    (options,) = get_args(get_type_hints(function)[found.pop().name])
    return found + [inspect.Parameter(name, _BY_NAME, default=...) for name in options.__annotations__]


def attribute_texts(documented: type) -> dict[str, str]:
    """The attributes of a class -> their texts in its docstring; empty where Python drops docstrings (`-OO`)."""
    listed = (inspect.getdoc(documented) or "").partition("Attributes:\n")[2]
    found = re.findall(r"^    (\w+): (.*(?:\n {8,}.*)*)", listed, flags=re.M)
    return {name: " ".join(text.split()) for name, text in found}


def check_names(owner: str, given: Iterable[str], known: Sequence[str], required: Iterable[str] = ()) -> None:
    """Check the names of settings.

    Raises:
        ConfigurationError: A name is unknown, or a required one is missing; the message has the nearest known name.
    """
    names = list(given)
    for name in names:
        if name not in known:
            hint = nearest(name, known) or f"; its settings are {', '.join(known)}"
            raise ConfigurationError(f"{owner} has no setting {name!r}{hint}")
    missing = [name for name in required if name not in names]
    if missing:
        raise ConfigurationError(f"{owner} needs {', '.join(missing)}")


class Kind(NamedTuple):
    """What a setting must be.

    Attributes:
        types: Its types. A bool does not count as a number, and a list holds texts.
        form: Its form in words, for an error.
        is_secret: An error does not repeat the value, unless it is a number.
    """

    types: tuple[type, ...]
    form: str
    is_secret: bool = False


NAMES = (list, tuple, Set)
"""The types of a list of names."""


def check_types(settings: object, kinds: Mapping[str, Kind]) -> None:
    """Check the types of settings that are the attributes of an object.

    Raises:
        ConfigurationError: A setting has another type; the message says which form it needs.
    """
    for name, (types, form, is_secret) in kinds.items():
        value = getattr(settings, name)
        is_flag = isinstance(value, bool) and bool not in types  # a bool is an int for Python
        has_others = isinstance(value, NAMES) and not all(isinstance(each, str) for each in value)
        if is_flag or has_others or not isinstance(value, types):
            is_hidden = is_secret and not isinstance(value, (int, float))
            given = name if is_hidden else f"{name}={value!r}"
            raise ConfigurationError(f"{given} must be {form}{f'; it is {in_words(value)}' if is_hidden else ''}")


_SCALARS: Mapping[object, str] = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}


def check_value(setting: str, value: object, annotation: object, examples: Sequence[object] | None = None) -> None:
    """Check that a value is of its annotated type.

    Args:
        setting: The setting's name.
        value: Its value.
        annotation: The type.
        examples: Values that it may have; two are shown.

    Raises:
        ConfigurationError: It is not. The message does not repeat the value, which may be a secret.
    """
    if not fits(value, annotation):
        raise wrong_value(setting, value, form_of(annotation), () if annotation is bool else examples or ())


def check_least(setting: str, value: float | None, least: int, *, is_more: bool = False) -> None:
    """Check that a number is not too small.

    Args:
        setting: The setting's name.
        value: The number; None without one.
        least: The least that it may be.
        is_more: It must be more than that.

    Raises:
        ConfigurationError: It is too small.
    """
    if value is not None and (value < least or (is_more and value == least)):
        raise ConfigurationError(f"{setting}={value!r} must be {'more than' if is_more else 'at least'} {least}")


def wrong_value(setting: str, value: object, form: str, examples: Sequence[object]) -> ConfigurationError:
    """The error for a value of a wrong type, without the value."""
    shown = " or ".join(str(each) for each in examples[:2])
    return ConfigurationError(f"{setting} must be {form}{shown and f', such as {shown}'}; it is {in_words(value)}")


def is_scalar(annotation: object) -> bool:
    """Whether an annotated type is a text, a number or a truth value, or one of them."""
    return {*(get_args(annotation) or (annotation,))} <= {*_SCALARS, NoneType}


def fits(value: object, annotation: object) -> bool:
    """Whether a value is of an annotated type: scalar, time, list, mapping or model; of other types all are."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return any(fits(value, each) for each in args)
    if origin is list:
        return isinstance(value, (list, tuple)) and all(fits(each, args[0]) for each in value)
    if origin is dict:
        return isinstance(value, dict) and all(fits(each, args[1]) for each in value.values())
    if annotation in (int, float):
        return isinstance(value, (int, float) if annotation is float else int) and not isinstance(value, bool)
    if annotation in (str, bool, datetime, NoneType):
        return isinstance(value, cast(type, annotation))
    return not _is_model(annotation) or isinstance(value, (cast(type, annotation), dict))


def _is_model(annotation: object) -> bool:
    """Whether a type is a pydantic model: it has settings of its own."""
    return isinstance(annotation, type) and hasattr(annotation, "model_fields")


def form_of(annotation: object) -> str:
    """An annotated type in words, for an error."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return " or ".join(form_of(each) for each in args if each is not NoneType)
    if origin in (list, dict):
        return f"a {'list' if origin is list else 'mapping'}{' of texts' if args[-1] is str else ''}"
    other = "a mapping" if _is_model(annotation) else f"of the type {getattr(annotation, '__name__', annotation)}"
    return _SCALARS.get(annotation, other)


def in_words(value: object) -> str:
    """What a value is, without the value: it may be a secret."""
    if value is None or isinstance(value, bool):
        return "empty" if value is None else str(value).lower()
    if isinstance(value, (dict, *NAMES)):
        held = value.values() if isinstance(value, dict) else value
        others = dict.fromkeys(in_words(each) for each in held if not isinstance(each, str))
        return f"a {'mapping' if isinstance(value, dict) else 'list'}{f' with {next(iter(others))}' if others else ''}"
    words = [word for kind, word in _SCALARS.items() if isinstance(kind, type) and isinstance(value, kind)]
    return words[0] if words else f"of the type {type(value).__name__}"


def check_timezone(name: object) -> None:
    """Check the name of a time zone.

    Raises:
        ConfigurationError: There is no such time zone.
    """
    try:
        ZoneInfo(cast(str, name))
    except (TypeError, ValueError, OSError, ZoneInfoNotFoundError):
        hint = nearest(str(name), available_timezones())
        raise ConfigurationError(
            f"timezone={name!r} is not the name of a time zone, such as 'Europe/Berlin'{hint}"
        ) from None


_E = TypeVar("_E", bound=Enum)


def choice(kind: type[_E], value: str | _E, setting: str) -> _E:
    """Convert the text of a setting to its enum member.

    Raises:
        ConfigurationError: The text is not a member; the message lists the members.
    """
    try:
        return kind(value)
    except ValueError:
        names = [str(member.value) for member in kind]
        hint = nearest(str(value), names)
        raise ConfigurationError(f"{setting}={value!r} is not one of {', '.join(names)}{hint}") from None
