"""Any database: connections, reading, and what differs between them."""
