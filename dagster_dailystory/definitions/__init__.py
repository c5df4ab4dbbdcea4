"""What Dagster loads: assets, ops, resources, automation, the component."""
