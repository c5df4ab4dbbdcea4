"""What `CeleryRunLauncher` lacks: it does not notice a worker that died, and a run that is terminated starts again."""

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus  # not exported; launchers import them so
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

ANSWER_SECONDS = 5.0
ATTEMPTS = 2


class WatchedCeleryRunLauncher(CeleryRunLauncher):
    """Runs as tasks of Celery, each of which is watched."""

    def terminate(self, run_id: str) -> bool:
        """Interrupt a run, which then ends as canceled; otherwise it would end as failed, and be started again."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        return super().terminate(run_id)

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Ask the worker whether it still has the run; Celery calls the run of one that died started for ever.

        The daemon calls this every `poll_interval_seconds`. A worker that is alive but cannot answer, for example
        behind a broken network, may be taken for dead. Its run goes on, and the run that replaces it waits for the
        sync's lease: no contact is made twice.
        """
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
