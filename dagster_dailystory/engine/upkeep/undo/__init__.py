"""Takes back what a run wrote: a plan with the values that it replaced, where nothing has happened since."""
