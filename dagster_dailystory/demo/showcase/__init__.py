"""What `make dev` has beside the sync of `customers`: partitions, an approval, a frame, and automation."""

from dagster_dailystory.demo.showcase.definitions import showcase

__all__ = ["showcase"]
