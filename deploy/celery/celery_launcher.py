"""Notices a worker that died, which `CeleryRunLauncher` does not: Celery calls its run started for ever."""

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus  # not exported; launchers import them so
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

ANSWER_SECONDS = 5.0
ATTEMPTS = 2


class WatchedCeleryRunLauncher(CeleryRunLauncher):
    """Asks the worker whether it still has the run; the daemon calls this every `poll_interval_seconds`.

    A worker that is alive but cannot answer, for example behind a broken network, may be taken for dead. Its run goes
    on, and the run that replaces it waits for the sync's lease: no contact is made twice.
    """

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the run's worker is at work."""
        task = self.celery.AsyncResult(run.tags[DAGSTER_CELERY_TASK_ID_TAG])
        reported = super().check_run_worker_health(run)
        if reported.status is not WorkerStatus.RUNNING:
            return reported
        worker = task.info["hostname"]
        inspect = self.celery.control.inspect([worker], timeout=ANSWER_SECONDS)
        if any(task.id in (inspect.query_task(task.id) or {}).get(worker, {}) for _ in range(ATTEMPTS)):
            return reported
        now = super().check_run_worker_health(run)
        if now.status is not WorkerStatus.RUNNING:  # it ended meanwhile
            return now
        return CheckRunHealthResult(WorkerStatus.FAILED, f"worker {worker} does not have the run any more")
