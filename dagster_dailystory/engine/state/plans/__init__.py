"""Stored plans: their headers, their claims, and the reader of their rows."""
