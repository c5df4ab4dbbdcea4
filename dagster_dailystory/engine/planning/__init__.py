"""Planning: from the source to a stored plan."""
