"""Schedules, conditions, sensors and checks that run a sync, watch it, and send alerts."""
