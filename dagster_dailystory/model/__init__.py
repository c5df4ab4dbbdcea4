"""The data model: what a user configures, what a plan holds and what a run reports, as frozen values."""
