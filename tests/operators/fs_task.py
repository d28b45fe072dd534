"""One try of an FS task in a process of its own: ``python fs_task.py <max_tries>``; prints what it pushes, as JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any, cast

from airflow.sdk import Context

from rosterflow.operators.fs import FSGraphQLOperator
from rosterflow.xcom import StoredPage, page_store


@dataclass
class Try:
    """What the operator uses of a running task."""

    max_tries: int
    dag_id: str = "fs_canvas_sync__demo"
    run_id: str = "manual__1"
    task_id: str = "read_emner"
    map_index: int = -1

    def xcom_push(self, key: str, value: StoredPage) -> None:
        say({key: page_store().get(value.name)})


def say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    task = FSGraphQLOperator(
        task_id="read_emner",
        operation="emner",
        institution="demo",
        scope={"terms": ["2026_HØST"], "sources": ["emne"], "emnekoder": None},
    )
    say({"return_value": task.execute(cast(Context, {"ti": Try(int(sys.argv[1]))}))})
