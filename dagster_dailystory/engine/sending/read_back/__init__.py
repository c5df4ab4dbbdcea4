"""Contacts that are read back, compared with what was written."""
