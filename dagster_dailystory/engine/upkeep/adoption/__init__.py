"""Adoption: maps the contacts that DailyStory has already, before the first load, and sends nothing."""

from dagster_dailystory.engine.upkeep.adoption.adoption import OnAdoption, adopt

__all__ = ["OnAdoption", "adopt"]
