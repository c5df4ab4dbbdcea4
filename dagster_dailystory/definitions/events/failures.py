"""The engine's errors and log lines in Dagster: failures, retries, and the log of the run."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from dagster._core.log_manager import DagsterLogHandler  # not exported

from dagster_dailystory.definitions.events.metadata import Metadata
from dagster_dailystory.errors import DailyStoryError, may_pass


@contextmanager
def dagster_failures(metadata: Metadata | None = None) -> Iterator[None]:
    """Turn the engine's errors into Dagster failures that allow a retry only if the error may pass.

    Raises:
        Failure: Instead of any `DailyStoryError`.
    """
    try:
        yield
    except DailyStoryError as error:
        described: Metadata = {"error": type(error).__name__, **(metadata or {})}
        if error.status is not None:
            described["http_status"] = error.status
        raise dg.Failure(str(error), described, allow_retries=may_pass(error)) from error


@contextmanager
def retry_requests(context: dg.AssetExecutionContext, policy: dg.RetryPolicy | None) -> Iterator[None]:
    """Ask Dagster for a retry after a failure that allows one.

    A retry policy of the op itself would also retry a cancelled op, so that Terminate would not end the run.

    Raises:
        RetryRequested: Instead of a failure that allows a retry.
        Failure: Any other failure, and the last one: Dagster would describe a request too many by "Exceeded
            max_retries", without the cause.
    """
    try:
        yield
    except dg.Failure as failure:
        if policy is None or not failure.allow_retries or context.retry_number >= policy.max_retries:
            raise
        delay = policy.calculate_delay(context.retry_number + 1)
        raise dg.RetryRequested(max_retries=policy.max_retries, seconds_to_wait=delay) from failure


class _RunLog(logging.Handler):
    """Writes the records of a Python logger to the log of a run. A line that cannot be written stops no send."""

    def __init__(self, log: logging.Logger) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._log.log(record.levelno, record.getMessage())
        except Exception:  # the storage of Dagster's events may be away
            self.handleError(record)


_LOGGER = logging.getLogger("dagster_dailystory")


@contextmanager
def engine_log_shown(log: logging.Logger) -> Iterator[None]:
    """Show the log of the engine in the log of a run: the plan, its warnings, outages, the report.

    Nothing is added where the instance manages the logger (`managed_python_loggers`): Dagster shows its lines then.
    """
    if any(isinstance(each, DagsterLogHandler) for each in (*_LOGGER.handlers, *logging.root.handlers)):
        yield
        return
    handler, is_unset = _RunLog(log), _LOGGER.level == logging.NOTSET  # else a user has chosen a level
    _LOGGER.addHandler(handler)
    if is_unset:
        _LOGGER.setLevel(logging.INFO)
    try:
        yield
    finally:
        _LOGGER.removeHandler(handler)
        if is_unset:
            _LOGGER.setLevel(logging.NOTSET)
