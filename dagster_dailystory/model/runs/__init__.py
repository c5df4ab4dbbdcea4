"""What travels of a run: its options, its counts, its plan and its report."""
