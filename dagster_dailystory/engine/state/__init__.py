"""The state tables and their transactions."""
