"""The demo of this repository."""
