"""What `make demo` does once everything is up; see `demo.steps` for how to add to it."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from demo.airflow_api import Json, wait_for
from demo.errors import DemoError
from demo.stack import Stack
from demo.steps import step


@step("Airflow has read the DAG folder")
def the_dags_are_listed(stack: Stack) -> None:
    """Wait until every DAG file is parsed, and show what is in the list."""
    client = stack.airflow.client

    files = {path.name for path in (stack.repository / "dags").glob("*.py")}

    def parsed() -> list[Json] | None:
        for error in client.import_errors():
            raise DemoError(f"{error['filename']} cannot be imported: {error['stack_trace'].strip().splitlines()[-1]}")
        dags = client.dags()
        return dags if files <= {dag["relative_fileloc"] for dag in dags} else None

    table = Table("DAG", "schedule", "paused")
    for dag in wait_for(parsed, "the DAG list", seconds=120, meanwhile=stack.check):
        table.add_row(dag["dag_id"], dag["timetable_summary"] or "-", "yes" if dag["is_paused"] else "no")
    Console().print(table)
