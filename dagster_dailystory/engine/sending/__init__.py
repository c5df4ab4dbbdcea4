"""From a stored plan to acknowledged results."""
