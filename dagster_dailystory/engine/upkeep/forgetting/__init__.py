"""Forgetting: removes rows from every table of the state, and keeps them out by keyed hashes."""
