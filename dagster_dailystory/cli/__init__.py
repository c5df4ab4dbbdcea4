"""The command line `dagster-dailystory`: each command calls a public function and shows what it returns."""
