"""The demo: a made-up warehouse, the sandbox, and two runs of a sync with a day between them."""
