"""A real Airflow on this machine: its four components, each a child of ours.

`airflow standalone` is not used: it overrides settings without a word and leaves its children behind when it is ended
by anything but SIGINT. Each component is started and stopped by itself instead. Source: Airflow 3.3 documentation,
"Configuration Reference" and "Simple auth manager".
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.fernet import Fernet

from demo.airflow_api import AirflowApi
from demo.errors import DemoError
from demo.ports import free_port
from demo.processes import Child, Children

MIGRATE_SECONDS = 180.0
HEALTHY_SECONDS = 180.0
STOP_SECONDS = 10.0  # the API server takes up to 8; a scheduler with running tasks would wait for them

# Name and role of the people in the demo; each one's password is the name. They reach 127.0.0.1 alone.
PEOPLE = {"admin": "admin", "registrar": "op", "dean": "op", "viewer": "viewer"}

# Log servers would listen on every interface of the machine; the API server reads the same folder without them.
COMPONENTS = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
HEALTH_FIELDS = ("metadatabase", "scheduler", "dag_processor", "triggerer")


class Airflow:
    """Airflow with the DAGs and plugins of `repository`, its metadata in the database at `database_url`.

    `home` holds its settings and logs (one log file per component below ``home/components``), `settings` are
    environment variables for all components, for instance ``ROSTERFLOW_DATABASE_URL``. `xcom_backend` is a class path,
    `say` is told the progress. `environment` is what a component started next will see.
    """

    def __init__(
        self,
        children: Children,
        home: Path,
        *,
        repository: Path,
        database_url: str,
        settings: Mapping[str, str],
        xcom_backend: str | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Choose port and secrets; nothing is started yet."""
        self.home = home
        self.url = f"http://127.0.0.1:{free_port(8080)}"
        self._children = children
        self._say = say
        self._components: dict[str, Child] = {}
        self._clients: dict[str, AirflowApi] = {}
        self.environment = _environment(home, repository, self.url, database_url)
        if xcom_backend is not None:
            self.environment["AIRFLOW__CORE__XCOM_BACKEND"] = xcom_backend
        self.environment |= settings

    @property
    def client(self) -> AirflowApi:
        """Return the client of the user ``admin``."""
        return self.client_for("admin")

    def client_for(self, person: str) -> AirflowApi:
        """Return the client of one of `PEOPLE`; it is closed by `stop`."""
        if person not in self._clients:
            self._clients[person] = AirflowApi(self.url, person, person)
        return self._clients[person]

    def log_of(self, component: str) -> Path:
        """Return the log file of a component (a key of `COMPONENTS`)."""
        return self.home / "components" / f"{component}.log"

    def start(self) -> None:
        """Create the metadata, start the four components and return when all are healthy. Raises `DemoError`."""
        self.home.mkdir(parents=True, exist_ok=True)
        passwords = {name: name for name in PEOPLE}
        (self.home / "passwords.json").write_text(json.dumps(passwords), encoding="utf-8")
        self._say("Airflow creates its metadata database")
        self._children.run(
            "airflow db migrate",
            _command("db", "migrate"),
            self.log_of("migrate"),
            timeout=MIGRATE_SECONDS,
            env=self.environment,
            cwd=self.home,
        )
        for name in COMPONENTS:
            self.start_component(name)
        self._wait_until_healthy()

    def start_component(self, name: str) -> None:
        """Start one component; a test may have stopped it before."""
        self._components[name] = self._children.start(
            f"Airflow's {name}", _command(*COMPONENTS[name]), self.log_of(name), env=self.environment, cwd=self.home
        )

    def stop_component(self, name: str) -> None:
        """Stop one component, all its tasks included."""
        self._children.stop(self._components.pop(name), grace=STOP_SECONDS)

    def stop(self) -> None:
        """Stop all components together."""
        while self._clients:
            self._clients.popitem()[1].close()
        self._children.stop(*self._components.values(), grace=STOP_SECONDS)
        self._components.clear()

    def _wait_until_healthy(self) -> None:
        waiting = dict.fromkeys(HEALTH_FIELDS, "no answer")
        self._say(f"Airflow starts its {', '.join(COMPONENTS)}")
        deadline = time.monotonic() + HEALTHY_SECONDS
        while waiting:
            self._children.check()
            for field, status in self.client.health().items():
                if field not in waiting:
                    continue
                waiting[field] = status
                if status == "healthy":
                    self._say(f"Airflow's {field} is healthy")
                    del waiting[field]
            if waiting and time.monotonic() > deadline:
                missing = ", ".join(f"{field} ({status})" for field, status in waiting.items())
                raise DemoError(
                    f"Airflow is not healthy after {HEALTHY_SECONDS:.0f} s: {missing}", self._log_for(missing)
                )
            time.sleep(0.3)

    def _log_for(self, missing: str) -> Path:
        culprit = next((name for name in COMPONENTS if missing.startswith(name.replace("-", "_"))), "api-server")
        return self.log_of(culprit)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "airflow", *arguments]


def _environment(home: Path, repository: Path, url: str, database_url: str) -> dict[str, str]:
    """Return our settings on top of this process's environment, less any other Airflow's settings in it."""
    # PYTHONPATH too: in production the tasks see the installed package and nothing of include/.
    foreign = ("AIRFLOW", "ROSTERFLOW_", "PYTHONPATH")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    local = "127.0.0.1,localhost"
    return inherited | {
        "NO_PROXY": local,
        "no_proxy": local,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(repository / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(repository / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, role in PEOPLE.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database_url,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": url.rpartition(":")[2],
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        # One second of idling between two tasks (the default) would be most of a short run's time.
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
        # A task that was skipped keeps its worker, and what comes after it waiting, for up to this long (5 by default).
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        # Nobody edits DAG files here; a look at all of them takes seconds of CPU.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
