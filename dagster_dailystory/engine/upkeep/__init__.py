"""A sync between its runs: inspection and audit."""
