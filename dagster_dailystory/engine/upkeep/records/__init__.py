"""Read-only views of a sync and of its history."""
