"""DailyStory's HTTP API: client, responses, transport, settings, rate limiter."""
