"""Columns of the state tables that have only a name and a type."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Column, Float

from dagster_dailystory.databases.sql_types import BIG_INTEGER, TEXT


def texts(*names: str) -> Iterable[Column[str]]:
    """Columns of text."""
    return [Column(name, TEXT) for name in names]


def integers(*names: str) -> Iterable[Column[int]]:
    """Columns of whole numbers."""
    return [Column(name, BIG_INTEGER) for name in names]


def numbers(*names: str) -> Iterable[Column[float]]:
    """Columns of numbers with a fraction."""
    return [Column(name, Float(53)) for name in names]
