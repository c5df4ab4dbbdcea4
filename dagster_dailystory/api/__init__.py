"""DailyStory over HTTP."""
