"""A sensor that adds the values of a source column to Dagster as partitions."""

import dagster as dg

from dagster_dailystory.databases.connect import connect, open_engine
from dagster_dailystory.definitions.events.failures import dagster_failures
from dagster_dailystory.definitions.partitions import dynamic_definition
from dagster_dailystory.engine.planning.comparison.slices import slice_names
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.partitions import OTHER_VALUES, ColumnValues
from dagster_dailystory.model.runs.plan import some
from dagster_dailystory.model.settings import check_least, check_value, named_settings
from dagster_dailystory.model.sync import ContactSync

_MOST_PARTITIONS = 1_000


@named_settings
def partition_sensor(
    sync: ContactSync, minimum_interval_seconds: int = 600, warehouse_key: str = "warehouse"
) -> dg.SensorDefinition:
    """Add each value of the partition column to Dagster as a partition: for `ColumnValues` without values.

    A partition stays when its value leaves the source, so that its contacts can be run.

    Args:
        sync: The sync.
        minimum_interval_seconds: Shortest time between two evaluations, which read the different values of the column.
        warehouse_key: Key of the `WarehouseResource`.

    Raises:
        ConfigurationError: The partitions of the sync do not come from its source.
    """
    check_value("minimum_interval_seconds", minimum_interval_seconds, int)
    check_least("minimum_interval_seconds", minimum_interval_seconds, 0)
    partitions = sync.partitions
    if not isinstance(partitions, ColumnValues) or not partitions.is_dynamic:
        raise ConfigurationError("partition_sensor needs a sync with partitions=ColumnValues(column), without values")
    definition = dynamic_definition(sync.name)

    @dg.sensor(
        name=f"partitions_{sync.name}",
        minimum_interval_seconds=minimum_interval_seconds,
        description=f"Add the values of {partitions.column} as partitions of the sync {sync.name}.",
        required_resource_keys={warehouse_key},
    )
    def add_partitions(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        url = getattr(context.resources, warehouse_key).warehouse().url
        with dagster_failures(), connect(open_engine(url), "warehouse") as warehouse:
            found = [OTHER_VALUES, *slice_names(sync, warehouse)]
        known = context.instance.get_dynamic_partitions(str(definition.name))
        new = [name for name in found if name not in known]
        if len(known) + len(new) > _MOST_PARTITIONS + 1:
            raise dg.Failure(
                f"column {partitions.column} has more than {_MOST_PARTITIONS:,} values; list some in values",
                allow_retries=False,
            )
        if not new:
            return dg.SensorResult(skip_reason=f"no new value among {some(len(found), 'partition', 'partitions')}")
        return dg.SensorResult(dynamic_partitions_requests=[definition.build_add_request(new)])

    return add_partitions
