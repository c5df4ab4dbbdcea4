"""A sync between runs: look at it, tend it."""
