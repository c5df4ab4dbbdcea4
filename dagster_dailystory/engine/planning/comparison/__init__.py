"""The comparison: source rows, staged and compared with the snapshot, become the changes of a plan."""
