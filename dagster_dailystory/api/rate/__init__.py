"""Paces requests to DailyStory: every request of a run passes one limiter, of its process or shared by several."""
