"""The Dagster side of a sync: assets, ops, resources, automation and the component."""
