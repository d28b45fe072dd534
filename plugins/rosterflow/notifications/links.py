"""Addresses of pages in Airflow's UI, below ``[api] base_url``."""

from __future__ import annotations

from urllib.parse import quote

from airflow.sdk.configuration import conf

MAPPED = "["
"""In our record a mapped task is called ``read[3]``."""


def airflow_url() -> str:
    """Where Airflow's UI is, without a slash at the end."""
    return str(conf.get("api", "base_url", fallback="http://localhost:8080")).rstrip("/")


def run_page(dag_id: str, run_id: str) -> str:
    """The page of a run."""
    return f"{airflow_url()}/dags/{quote(dag_id)}/runs/{quote(run_id)}"


def log_page(dag_id: str, run_id: str, task: str, try_number: int | None) -> str:
    """The log of a task's try; of its last one when the number is unknown."""
    task_id, _, index = task.partition(MAPPED)
    mapped = f"/mapped/{index.rstrip(']')}" if index else ""
    query = f"?try_number={try_number}" if try_number else ""
    return f"{run_page(dag_id, run_id)}/tasks/{quote(task_id)}{mapped}{query}"


def required_actions_page(dag_id: str, run_id: str, task_id: str) -> str:
    """Where a person answers what a task asks."""
    return f"{run_page(dag_id, run_id)}/tasks/{quote(task_id)}/required_actions"
