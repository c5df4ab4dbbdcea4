"""The circuit breaker: decides whether failures are an outage, by sending changes out of turn."""
