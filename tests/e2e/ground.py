"""What the end-to-end tests stand on: the running stack with institutions of their own, and ways to look at it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import yaml

from demo.airflow_api import AirflowApi, Json, wait_for
from demo.errors import DemoError
from demo.stack import Stack
from demo.story import college_of_today, university_of_today
from rosterflow.store.engine import Store
from rosterflow.store.runs import find_run
from rosterflow.sync.reporting import Report, report
from tests.conftest import REPOSITORY
from tests.scenarios.drain_ground import college_settings, connections

SECONDS = 900.0
"""How long anything may take; a busy machine is no failure."""

SEED = 7
"""Of the university."""

ENDED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})

NEVER = "0 0 29 2 *"
"""A schedule with no moment since the DAGs' start, so that switching the DAG on starts nothing."""

INSTITUTIONS: dict[str, dict[str, Any]] = {
    # The main story. Its university is the sandbox's; who may decide is set.
    "demo": {
        "approval": {"approvers": ["registrar", "dean"]},
        "mail": {"failures": ["drift@demo.example"], "held": ["studieadm@demo.example"]},
    },
    # Shares demo's Canvas root account, and so its one slot. FS has nothing of that number.
    "tvilling": {
        "schedule": NEVER,
        "number": "185",
        "canvas": {"connection": "canvas_demo", "root": "sandbox", "account": "FSDEMO"},
    },
    # Syncs people, into the structure that is demo's.
    "folk": {
        "schedule": NEVER,
        "people": {"account_roles": {"ADMIN": "AccountAdmin"}, "census_days": 14},
        "mail": {"held": ["studieadm@folk.example"]},
        "canvas": {"connection": "canvas_demo", "root": "folk", "account": "FSDEMO"},
    },
    # Reads the older dialect in small pages, and only ever plans.
    "eldre": {
        "schedule": NEVER,
        "fs": {"connection": "fs_eldre", "dialect": "2023", "page_size": 20, "service_numbers": ["1"]},
        "canvas": {"connection": "canvas_demo", "root": "eldre", "account": "FSDEMO"},
        "mail": {"failures": ["drift@eldre.example"]},
    },
    # Its pool is missing.
    "uten_pool": {
        "schedule": NEVER,
        "canvas": {"connection": "canvas_demo", "root": "glemt", "account": "FSDEMO"},
    },
}
COLLEGE = {
    "schedule": NEVER,
    "set_user_password": "Y",
    "approval": {"approvers": ["registrar"]},
    "mail": {"failures": ["drift@college.example"], "held": ["held@college.example"]},
}
"""What is the college's own, on top of the demo's: new accounts begin with Campus Cafe's initial passwords."""
BROKEN = "key: skakk\nname: Skakk høgskole\nnumber: ti\nfarge: rød\n"


@dataclass(frozen=True)
class Seen:
    """A run that has ended.

    :param tasks: state and number of tries of each task.
    """

    dag_id: str
    run_id: str
    state: str
    tasks: Mapping[str, tuple[str, int]]
    report: Report | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many changes became what, all kinds together; without zeros and without what stayed the same."""
        columns = ("created", "updated", "removed", "held", "refused", "kept", "open", "dropped")
        rows = self.report.rows if self.report else ()
        counted = {name: sum(getattr(row, name) for row in rows) for name in columns}
        return {name: count for name, count in counted.items() if count}

    def states(self, state: str) -> set[str]:
        """The tasks in a state."""
        return {task for task, (is_in, _) in self.tasks.items() if is_in == state}

    def tries(self, task: str) -> int:
        """How often a task was tried."""
        return self.tasks[task][1]


@dataclass
class Ground:
    """The stack with the institutions' settings files, which a test may change."""

    stack: Stack
    institutions: Path
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def client(self) -> AirflowApi:
        """Airflow as its administrator."""
        return self.stack.airflow.client

    def write_institutions(self) -> None:
        """Write every settings file, before Airflow starts."""
        plain = yaml.safe_load((REPOSITORY / "include" / "institutions" / "demo.yaml").read_text(encoding="utf-8"))
        for key, own in INSTITUTIONS.items():
            self.settings[key] = {**plain, "key": key, "mail": {}, "people": {"sync": False}, **own}
            self.change(key)
        (self.institutions / "skakk.yaml").write_text(BROKEN, encoding="utf-8")
        self.settings["college"] = college_settings(self.stack.sandbox_url, **COLLEGE)
        self.change("college")

    def change(self, key: str, **settings: Any) -> None:
        """Change an institution's settings, as somebody does who edits its file."""
        self.settings[key] |= settings
        text = yaml.safe_dump(self.settings[key], allow_unicode=True)
        (self.institutions / f"{key}.yaml").write_text(text, encoding="utf-8")

    def set_up(self) -> None:
        """Make connections, pools, store and university, and switch every DAG on but the daily ones."""
        url, client = self.stack.sandbox_url, self.client
        fs = {"conn_type": "fs_graphql", "login": "sandbox", "password": "sandbox"}
        client.create_connection("fs_demo", host=f"{url}/fs/graphql", **fs)
        client.create_connection("fs_eldre", host=f"{url}/fs/2023/graphql", **fs)
        client.create_connection("canvas_demo", "canvas", host=f"{url}/canvas", password="sandbox-canvas-token")
        plain = {"disable_ssl": True, "disable_tls": True, "from_email": "rosterflow@demo.example", "retry_limit": 2}
        client.create_connection("smtp_default", "smtp", host="127.0.0.1", port=self.stack.smtp_port, extra=plain)
        for pool in ("canvas_sandbox", "canvas_eldre", "canvas_folk"):
            client.create_pool(pool, 1)
        command = [sys.executable, "-m", "rosterflow", "store", "upgrade"]
        subprocess.run(command, env=self.stack.airflow.environment, check=True, capture_output=True)
        for name, one in connections(url).items():
            connection_id = name.removeprefix("AIRFLOW_CONN_").lower()
            client.create_connection(connection_id, **json.loads(one))
        self.control("reset", {"seed": SEED, **university_of_today(), **college_of_today()})
        self.wait_for_dag("fs_canvas_sync__skakk")

    def wait_for_dag(self, dag_id: str) -> None:
        """Wait until Airflow has parsed a DAG."""
        self.wait(lambda: dag_id in {dag["dag_id"] for dag in self.client.dags()} or None, f"the DAG {dag_id}")

    def wait(self, look: Callable[[], Any], what: str, seconds: float = SECONDS) -> Any:
        """Look until there is something."""
        return wait_for(look, what, seconds=seconds, meanwhile=self.stack.check)

    def start(self, key: str, **conf: Any) -> str:
        """Start a sync; gives its run id."""
        dag_id = f"fs_canvas_sync__{key}"
        self.client.unpause(dag_id)
        return self.client.trigger(dag_id, conf)

    def sync(self, key: str, **conf: Any) -> Seen:
        """Start a sync and wait for its end."""
        return self.ended(f"fs_canvas_sync__{key}", self.start(key, **conf))

    def ended(self, dag_id: str, run_id: str) -> Seen:
        """A run, once it has ended."""
        run = self.client.wait_for_run(dag_id, run_id, seconds=SECONDS, meanwhile=self.stack.check)
        return Seen(dag_id, run_id, run["state"], self.tasks(dag_id, run_id), self._report(dag_id, run_id))

    def tasks(self, dag_id: str, run_id: str) -> dict[str, tuple[str, int]]:
        """State and number of tries of each task of a run."""
        found = self.client.task_instances(dag_id, run_id)
        return {task["task_id"]: (str(task["state"]), task["try_number"]) for task in found}

    def wait_for_state(self, dag_id: str, run_id: str, task_id: str, *states: str) -> str:
        """Wait until a task is in one of some states; gives it."""

        def look() -> str | None:
            state = self.tasks(dag_id, run_id)[task_id][0]
            return state if state in states else None

        return str(self.wait(look, f"{task_id} to be {' or '.join(states)}"))

    def log(self, seen: Seen, task_id: str, try_number: int = 1) -> str:
        """The log of a task's try."""
        return self.client.task_log(seen.dag_id, seen.run_id, task_id, try_number)

    def question(self, key: str, task_id: str = "ask_person", *, about: str = "canvas") -> Json:
        """What a person is asked about Canvas, or about CourseKey, once somebody is."""

        def look() -> Json | None:
            asked = self.client.approvals(f"{about}_approval__{key}")
            return next((one for one in asked if one["task_instance"]["task_id"] == task_id), None)

        return dict(self.wait(look, f"a question of {key}"))

    def answer(self, person: str, question: Json, option: str, comment: str) -> None:
        """Answer a question as one of the demo's people; raises DemoError when Airflow refuses."""
        self.stack.airflow.client_for(person).answer_approval(
            question, option, {"comment": comment}, seconds=SECONDS, meanwhile=self.stack.check
        )

    def refusal(self, person: str, question: Json) -> str:
        """Airflow's words when somebody may not answer."""
        try:
            self.answer(person, question, "Approve", "I may not.")
        except DemoError as error:
            return str(error)
        return ""

    def control(self, what: str, body: Mapping[str, Any] | None = None) -> Any:
        """Have the sandbox do something."""
        answer = httpx.post(f"{self.stack.sandbox_url}/control/{what}", json=body or {}, timeout=60, trust_env=False)
        return answer.raise_for_status().json()

    def put(self, resource: str, **record: Any) -> None:
        """Add a record to Campus Cafe, or change one."""
        body = {"resource": resource, "record": record}
        url = f"{self.stack.sandbox_url}/control/college/records"
        httpx.put(url, json=body, timeout=60, trust_env=False).raise_for_status()

    def get(self, path: str) -> Any:
        """JSON of the sandbox."""
        return httpx.get(f"{self.stack.sandbox_url}{path}", timeout=60, trust_env=False).raise_for_status().json()

    def canvas_rest(self, path: str) -> Any:
        """JSON of Canvas's own REST API."""
        url = f"{self.stack.sandbox_url}/canvas/api/v1{path}"
        headers = {"Authorization": "Bearer sandbox-canvas-token"}
        return httpx.get(url, headers=headers, timeout=60, trust_env=False).raise_for_status().json()

    def fault(self, **fault: Any) -> int:
        """Arm a fault; gives its place in the listing."""
        return len(self.control("faults", fault)["faults"]) - 1

    def struck(self, number: int) -> Json:
        """A fault with what it has seen and done."""
        return dict(self.get("/control/faults")["faults"][number])

    def imports(self) -> int:
        """How many SIS imports the sandbox's Canvas has had."""
        return len(self.get("/control/state")["imports"])

    def canvas(self) -> dict[str, int]:
        """How many objects of each kind Canvas has."""
        return dict(self.get("/control/state")["canvas"])

    def enrollments(self) -> dict[str, int]:
        """How many enrollments Canvas has in each state."""
        return dict(self.get("/control/state")["enrollments"])

    def mails(self, receiver: str) -> list[Json]:
        """The mails to somebody, the newest first."""
        return [mail for mail in self.get("/mail.json") if receiver in mail["recipients"]]

    def wait_for_mail(self, receiver: str, words: str) -> Json:
        """Wait for a mail whose subject has some words."""
        return dict(
            self.wait(
                lambda: next((mail for mail in self.mails(receiver) if words in mail["subject"]), None),
                f"a mail to {receiver} about {words}",
            )
        )

    def metadata(self, query: str) -> list[tuple[Any, ...]]:
        """Ask Airflow's own database."""
        return self._ask("airflow", query)

    def record(self, query: str) -> list[tuple[Any, ...]]:
        """Ask our store, or change it."""
        return self._ask("rosterflow", query)

    def texts(self, database: str) -> Iterator[tuple[str, str]]:
        """Every table of a database with its rows as text."""
        tables = self._ask(database, "select table_name from information_schema.tables where table_schema = 'public'")
        for (table,) in tables:
            rows = self._ask(database, f'select one::text from "{table}" one')
            yield table, "\n".join(row for (row,) in rows)

    def _ask(self, database: str, query: str) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self.stack.postgres.url(database).replace("+psycopg2", ""))
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(query)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    def _report(self, dag_id: str, run_id: str) -> Report | None:
        store = Store(self.stack.postgres.url("rosterflow"))
        try:
            with store.begin() as connection:
                run = find_run(connection, dag_id, run_id)
            return report(store, run.id) if run else None
        finally:
            store.dispose()
