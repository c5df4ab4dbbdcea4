"""A sync without Dagster: state, planning, sending, and the order of things."""
