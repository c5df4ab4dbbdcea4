"""The engine's errors as failures of an Airflow task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from dagster_dailystory.errors import DailyStoryError, may_pass


@contextmanager
def airflow_failures() -> Iterator[None]:
    """Let Airflow try a task again only after an error that may pass.

    Raises:
        AirflowException: The error may pass; Airflow tries again as long as the task has retries.
        AirflowFailException: The error needs a correction; the task fails at once.
    """
    try:
        yield
    except DailyStoryError as error:
        failure = AirflowException if may_pass(error) else AirflowFailException
        raise failure(f"{type(error).__name__}: {error}") from error
