"""Hashes of source rows: those that the state remembers, and their sums."""
