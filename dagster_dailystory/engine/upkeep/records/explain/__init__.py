"""Explains one key: what the source, the state and DailyStory have of it, and what the next run does."""
