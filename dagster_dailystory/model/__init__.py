"""The words of a sync: what a user writes and what a run reports, as frozen values."""
