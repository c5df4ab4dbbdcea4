"""The settings of a worker: `celery -A dagster_celery.app worker` reads this module by its name."""

import os

broker_url = os.environ["DAGSTER_CELERY_BROKER"]
result_backend = os.environ["DAGSTER_CELERY_BACKEND"]
broker_connection_retry_on_startup = True
worker_prefetch_multiplier = 1
worker_disable_prefetch = True  # a run waits in the queue, where any worker finds it, and not with one that is busy
worker_max_tasks_per_child = 1  # a run gets a fresh process, as it does without Celery
