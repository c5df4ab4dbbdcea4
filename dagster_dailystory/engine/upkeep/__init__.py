"""A sync between its runs: inspection and drift check."""
