"""What alerts and retries look at: the recent plans of a sync, and the conditions that they fulfil."""
