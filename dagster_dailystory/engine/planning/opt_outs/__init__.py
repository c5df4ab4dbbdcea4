"""The opt-outs of a plan: those that can be sent, and those that wait."""
