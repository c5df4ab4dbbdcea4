"""Presence: whether a key is gone from the source, asked of the whole source, for a plan and before a send."""
