"""Public names of modules whose imports are not installed here, such as Airflow: read from their source."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

Definition = ast.FunctionDef | ast.ClassDef


def names_of(package: Path) -> dict[str, Path]:
    """Name of `__all__` -> the module of the package that defines it."""
    listed = ast.literal_eval(_assigned(package / "__init__.py")["__all__"])
    homes = {each.name: path for path in sorted(package.glob("*.py")) for each in _definitions(path)}
    return {name: homes[name] for name in listed}


def stand_in(path: Path, name: str) -> object:
    """An object with the docstring and the signature of a class or a function, and the texts of its class."""
    found = next(each for each in _definitions(path) if each.name == name)
    function = found
    if isinstance(found, ast.ClassDef):
        own = [each for each in found.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"]
        function = own[0] if own else found
    signature = inspect.Signature(list(_parameters(path, found, function)))
    return type(name, (), {"__doc__": ast.get_docstring(found), "__signature__": signature})


def method(path: Path, owner: str, name: str) -> object:
    """The stand-in of a method."""
    found = next(each for each in _definitions(path) if each.name == owner)
    body = next(each for each in found.body if isinstance(each, ast.FunctionDef) and each.name == name)
    return type(name, (), {"__doc__": ast.get_docstring(body), "__signature__": inspect.Signature()})


def _parameters(path: Path, found: Definition, function: Definition) -> Iterator[inspect.Parameter]:
    if isinstance(function, ast.ClassDef):
        return
    arguments, kinds = function.args, inspect.Parameter
    named = [each for each in arguments.args if each.arg != "self"]
    defaults = [None] * (len(named) - len(arguments.defaults)) + list(arguments.defaults)
    for each, default in zip(named, defaults, strict=True):
        yield kinds(each.arg, kinds.POSITIONAL_OR_KEYWORD, default=_value(path, found, default))
    for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield kinds(each.arg, kinds.KEYWORD_ONLY, default=_value(path, found, default))
    if arguments.kwarg is not None:
        yield kinds(arguments.kwarg.arg, kinds.VAR_KEYWORD)


def _value(path: Path, found: Definition, default: ast.expr | None) -> object:
    """The value of a default: a literal, a constant of the module or of its class, or of a module of this package."""
    if default is None:
        return inspect.Parameter.empty
    known: dict[str, object] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("dagster_dailystory"):
            continue
        home = path.parent / f"{(node.module or '').rpartition('.')[2]}.py"
        for each in node.names:
            if "airflow_provider" not in str(node.module):
                known[each.name] = getattr(import_module(str(node.module)), each.name)
            elif each.name in {one.name for one in _definitions(home)}:
                known[each.name] = type(each.name, (), _literals(home, each.name))
            else:
                known[each.name] = ast.literal_eval(_assigned(home)[each.name])
    own = _literals(path, found.name) if isinstance(found, ast.ClassDef) else {}
    return eval(ast.unparse(default), {**known, **own})


def _literals(path: Path, owner: str) -> dict[str, object]:
    """The attributes of a class that are texts."""
    body = next(each for each in _definitions(path) if each.name == owner).body
    texts = [each for each in body if isinstance(each, ast.Assign) and isinstance(each.value, ast.Constant)]
    return {
        target.id: ast.literal_eval(each.value)
        for each in texts
        for target in each.targets
        if isinstance(target, ast.Name)
    }


def _definitions(path: Path) -> list[Definition]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [each for each in tree.body if isinstance(each, (ast.FunctionDef, ast.ClassDef))]


def _assigned(path: Path) -> dict[str, ast.expr]:
    """Name -> what it is set to, at the top of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    pairs = [(each.targets[0], each.value) for each in tree.body if isinstance(each, ast.Assign)]
    return {target.id: value for target, value in pairs if isinstance(target, ast.Name)}
