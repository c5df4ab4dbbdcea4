"""The examination of a sync: is everything in place, and does DailyStory behave as this package assumes?"""
