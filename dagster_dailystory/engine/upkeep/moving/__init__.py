"""What ends or moves a sync: another name, another state database, no state at all, or no further runs."""
