"""The component that defines a sync in YAML."""
