"""Keep DailyStory contacts equal to a warehouse query."""
