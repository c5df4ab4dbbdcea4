"""The warehouse of a sync: a database, or a frame that was handed over."""

from dagster_dailystory.engine.warehouse.urls import Warehouse

__all__ = ["Warehouse"]
