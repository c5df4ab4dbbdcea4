"""From the source to a stored plan."""
