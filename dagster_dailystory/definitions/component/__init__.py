"""A sync as YAML."""
