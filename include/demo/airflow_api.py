"""A small client of Airflow's public REST API, as much of it as the demo's story and the end-to-end tests need.

Objects are returned as the JSON the API sends. Source: Airflow 3.3 documentation, "Airflow public API reference"
(``/api/v2``) and "Airflow public API: authentication".
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import httpx

from demo.errors import DemoError

Json = dict[str, Any]
Found = TypeVar("Found")
POLL_SECONDS = 0.6  # a look takes the API server 20 to 50 ms
PAGE = 100
# Airflow 3.3 fails a task whose approval is answered within about one scheduler loop of its being asked.
SECONDS_BEFORE_ANSWERING = 2.0


class AirflowApi:
    """Requests as one user of the Airflow at `url`, which need not be up yet: the first request fetches the token."""

    def __init__(self, url: str, user: str, password: str) -> None:
        """Keep the credentials; nothing is sent yet."""
        self.url = url
        self.user = user
        self._password = password
        # Proxies of the machine have no business between two programs on it.
        self._http = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def close(self) -> None:
        """Close the connection to Airflow."""
        self._http.close()

    def request(self, method: str, path: str, *, json: object = None, params: Mapping[str, Any] | None = None) -> Json:
        """Send one request to ``/api/v2`` + `path` and return the JSON of the answer (empty for no content).

        Raises `DemoError` with Airflow's own words for an answer that is not 2xx, or for none.
        """
        try:
            if "Authorization" not in self._http.headers:
                self._log_in()
            answer = self._http.request(method, f"/api/v2{path}", json=json, params=params)
        except httpx.TransportError as error:
            raise DemoError(f"Airflow does not answer {method} {path}: {error.__class__.__name__}") from error
        if not answer.is_success:
            raise DemoError(f"Airflow answers {answer.status_code} to {method} {path}: {_detail(answer)}")
        body: Json = answer.json() if answer.content else {}
        return body

    def health(self) -> dict[str, str]:
        """Return the status of each component by name (no token needed); empty while nothing answers."""
        try:
            answer = self._http.get("/api/v2/monitor/health")
        except httpx.TransportError:
            return {}
        if answer.status_code != httpx.codes.OK:
            return {}
        return {name: str(fields["status"]) for name, fields in answer.json().items() if isinstance(fields, dict)}

    def dags(self) -> list[Json]:
        """Return every DAG Airflow has parsed, paused ones too."""
        return self._all("/dags", "dags")

    def import_errors(self) -> list[Json]:
        """Return the DAG files that could not be parsed, with their stack traces."""
        return self._all("/importErrors", "import_errors")

    def unpause(self, dag_id: str) -> None:
        """Let the scheduler run the DAG."""
        self.request("PATCH", f"/dags/{dag_id}", json={"is_paused": False}, params={"update_mask": "is_paused"})

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None, logical_date: datetime | None = None) -> str:
        """Start a run with these params and return its run id; without a logical date it has none."""
        date = logical_date.isoformat() if logical_date else None
        run = self.request("POST", f"/dags/{dag_id}/dagRuns", json={"logical_date": date, "conf": dict(conf or {})})
        return str(run["dag_run_id"])

    def runs(self, dag_id: str) -> list[Json]:
        """Return the runs of a DAG, the oldest first."""
        return self._all(f"/dags/{dag_id}/dagRuns", "dag_runs", order_by="run_after")

    def run(self, dag_id: str, run_id: str) -> Json:
        """Return one run."""
        return self.request("GET", f"/dags/{dag_id}/dagRuns/{run_id}")

    def wait_for_run(
        self, dag_id: str, run_id: str, *, seconds: float = 300, meanwhile: Callable[[], object] = lambda: None
    ) -> Json:
        """Return the run once it has succeeded or failed; `meanwhile` is called at each look.

        Raises `DemoError` after `seconds`.
        """

        def ended() -> Json | None:
            run = self.run(dag_id, run_id)
            return run if run["state"] in {"success", "failed"} else None

        return wait_for(ended, f"the run {run_id} of {dag_id}", seconds=seconds, meanwhile=meanwhile)

    def task_instances(self, dag_id: str, run_id: str) -> list[Json]:
        """Return the task instances of a run, the current try of each."""
        return self._all(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances", "task_instances")

    def clear(self, dag_id: str, run_id: str, task_ids: Iterable[str], *, downstream: bool = True) -> None:
        """Clear these tasks of a run, as a person does in the UI; they run again."""
        body = {
            "dry_run": False,
            "only_failed": False,
            "dag_run_id": run_id,
            "task_ids": list(task_ids),
            "include_downstream": downstream,
        }
        self.request("POST", f"/dags/{dag_id}/clearTaskInstances", json=body)

    def task_log(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1, map_index: int = -1) -> str:
        """Return the log of one try of a task, one event per line."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        answer = self.request("GET", path, params={"map_index": map_index, "full_content": True})
        return "\n".join(line if isinstance(line, str) else json.dumps(line) for line in answer["content"])

    def approvals(self, dag_id: str = "~", run_id: str = "~") -> list[Json]:
        """Return the human-in-the-loop questions that wait for an answer, of every DAG unless one is named."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/hitlDetails"
        return self._all(path, "hitl_details", response_received=False, state="awaiting_input")

    def wait_for_approval(
        self, dag_id: str, *, seconds: float = 300, meanwhile: Callable[[], object] = lambda: None
    ) -> Json:
        """Return the first question of a DAG, once there is one. Raises `DemoError` after `seconds`."""
        return wait_for(
            lambda: next(iter(self.approvals(dag_id)), None),
            f"a question of {dag_id} to a person",
            seconds=seconds,
            meanwhile=meanwhile,
        )

    def answer_approval(
        self,
        approval: Json,
        option: str,
        params: Mapping[str, Any] | None = None,
        *,
        seconds: float = 300,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> None:
        """Answer a question with one of its options, and return when the task has taken the answer.

        `params` overrides the defaults of its form (all are sent). On a busy machine Airflow may lose an answer and ask
        again; then it is given again. Raises `DemoError` after `seconds`.
        """
        task = approval["task_instance"]
        run = f"/dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}/taskInstances/{task['task_id']}"
        form = {name: field["value"] for name, field in approval["params"].items()} | dict(params or {})

        def taken() -> bool | None:
            state = self.request("GET", run)["state"]
            if state == "awaiting_input":
                time.sleep(SECONDS_BEFORE_ANSWERING)
                path = f"{run}/{task['map_index']}/hitlDetails"
                self.request("PATCH", path, json={"chosen_options": [option], "params_input": form})
            return True if state in {"success", "failed", "skipped", "upstream_failed"} else None

        wait_for(taken, f"the answer to {task['task_id']}", seconds=seconds, meanwhile=meanwhile)

    def create_connection(self, connection_id: str, conn_type: str, **fields: Any) -> None:
        """Create a connection people see in the UI.

        `fields` are host, login, password, port, schema and description; `extra` is given as a mapping.
        """
        if "extra" in fields:
            fields["extra"] = json.dumps(fields["extra"])
        self.request("POST", "/connections", json={"connection_id": connection_id, "conn_type": conn_type, **fields})

    def test_connection(self, connection_id: str) -> Json:
        """Do what the Test button of the UI does: return ``{"status": bool, "message": str}``."""
        saved = self.request("GET", f"/connections/{connection_id}")
        wanted = ("connection_id", "conn_type", "host", "login", "schema", "port", "extra", "description")
        return self.request("POST", "/connections/test", json={name: saved.get(name) for name in wanted})

    def create_pool(self, name: str, slots: int, *, include_deferred: bool = True, description: str = "") -> None:
        """Create a pool; deferred tasks hold their slot unless said otherwise."""
        body = {"name": name, "slots": slots, "include_deferred": include_deferred, "description": description}
        self.request("POST", "/pools", json=body)

    def create_backfill(self, dag_id: str, from_date: datetime, to_date: datetime, **options: Any) -> int:
        """Start a backfill and return its id; `options` are further fields of the request, such as dag_run_conf."""
        body = {"dag_id": dag_id, "from_date": from_date.isoformat(), "to_date": to_date.isoformat(), **options}
        return int(self.request("POST", "/backfills", json=body)["id"])

    def _all(self, path: str, key: str, **params: Any) -> list[Json]:
        found: list[Json] = []
        while True:
            page = self.request("GET", path, params={"limit": PAGE, "offset": len(found), **params})
            found += page[key]
            if not page[key] or len(found) >= page["total_entries"]:
                return found

    def _log_in(self) -> None:
        answer = self._http.post("/auth/token", json={"username": self.user, "password": self._password})
        if not answer.is_success:
            raise DemoError(f"Airflow refuses the log-in of {self.user}: {answer.status_code} {_detail(answer)}")
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


def wait_for(
    look: Callable[[], Found | None], what: str, *, seconds: float, meanwhile: Callable[[], object] = lambda: None
) -> Found:
    """Look until something is found and return it; `meanwhile` is called before each look.

    Raises `DemoError`, which names `what` was waited for, after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        meanwhile()
        found = look()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise DemoError(f"{what} did not come within {seconds:.0f} s")
        time.sleep(POLL_SECONDS)


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("detail", answer.text))
    except ValueError:
        return answer.text[:200]
