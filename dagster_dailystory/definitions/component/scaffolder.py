"""`dg scaffold defs dagster_dailystory.DailyStorySyncComponent NAME`: writes the first YAML file of a sync."""

import dagster as dg
from dagster.components.component_scaffolding import scaffold_component
from pydantic import Field

from dagster_dailystory.model.sync import SYNC_NAME


class ScaffoldOptions(dg.Model):
    """Options of `dg scaffold defs`."""

    source: str = Field(default="analytics.customers", description="Table, query, or path of a .sql file")
    key: str = Field(default="customer_id", description="Column that identifies a row")


_HINTS = """
# Name your table or query, its key and its columns; set WAREHOUSE_URL and DAILYSTORY_API_TOKEN.
# All settings: dg utils inspect-component dagster_dailystory.DailyStorySyncComponent
"""


class DailyStorySyncScaffolder(dg.Scaffolder[ScaffoldOptions]):
    """Writes a `defs.yaml` that loads as it is, with comments on what to fill in."""

    @classmethod
    def get_scaffold_params(cls) -> type[ScaffoldOptions]:
        """The command-line options."""
        return ScaffoldOptions

    def scaffold(self, request: dg.ScaffoldRequest[ScaffoldOptions]) -> None:
        """Write the file; a folder name that is not a valid sync name is changed into one."""
        folder = request.target_path.name.lower()
        name = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in folder)[:31]
        attributes = {
            "name": name if SYNC_NAME.fullmatch(name) else "customers",
            "source": request.params.source,
            "key": request.params.key,
            "fields": {"email": "email", "firstName": "first_name", "lastName": "last_name"},
            "extended_properties": {"plan": "plan"},
            "warehouse": {"url": "{{ env.WAREHOUSE_URL }}"},
            "dailystory": {
                "base_url": "https://us-1.dailystory.com/api/v1",
                "api_token": "{{ env.DAILYSTORY_API_TOKEN }}",
            },
        }
        scaffold_component(request, attributes)
        if request.scaffold_format == "yaml":
            written = request.target_path if request.append else request.target_path / "defs.yaml"
            with written.open("a", encoding="utf-8") as file:
                file.write(_HINTS)
