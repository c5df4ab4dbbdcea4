"""The demo: a made-up warehouse, the sandbox, two runs of a sync with a day between them, and a bad day."""
