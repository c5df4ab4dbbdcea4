"""`python -m dagster_dailystory.cli`, where the script `dagster-dailystory` is not on the path."""

from dagster_dailystory.cli.command_line import command_line

if __name__ == "__main__":
    command_line(prog_name="dagster-dailystory")
