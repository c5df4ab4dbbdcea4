"""Access to any database: connections, reading, and the differences between dialects."""
