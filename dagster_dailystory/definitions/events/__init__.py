"""What a run of a sync shows in Dagster: metadata, charts, check results, log lines and failures."""
