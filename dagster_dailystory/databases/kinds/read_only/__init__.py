"""Databases that are only read: they hold no state."""
