from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from rosterflow.domain.errors import Code, RosterflowError
from rosterflow.notifications.failures import FailureMail
from rosterflow.operators.housekeeping import DUTIES, HousekeepingOperator
from rosterflow.operators.retry import ByErrorClass
from rosterflow.store import institutions, migrate
from rosterflow.store.engine import Store
from sandbox.serving import RunningSandbox
from tests.conftest import REPOSITORY
from tests.household import yaml_of

pytestmark = pytest.mark.airflow
FILE = REPOSITORY / "dags" / "rosterflow_housekeeping.py"


@pytest.fixture
def dag(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    def load(heartbeat: str) -> Any:
        from airflow.dag_processing.dagbag import DagBag  # reads Airflow's settings when imported

        monkeypatch.setenv("ROSTERFLOW_HEARTBEAT_CONNECTION", heartbeat)
        bag = DagBag(FILE)
        assert bag.import_errors == {}
        return bag.dags["rosterflow_housekeeping"]

    return load


def test_housekeeping_has_one_task_for_each_duty_and_none_waits_for_another(dag: Callable[[str], Any]) -> None:
    tasks = dag("").tasks

    assert {task.task_id for task in tasks} == set(DUTIES)
    assert all(not task.upstream_task_ids for task in tasks)


def test_housekeeping_keeps_the_policy_of_all_dags(dag: Callable[[str], Any]) -> None:
    made = dag("")

    assert made.doc_md
    assert made.tags
    assert (made.max_active_runs, made.catchup, made.timetable.expression) == (1, False, "17 * * * *")
    assert isinstance(made.on_failure_callback, FailureMail)
    for task in made.tasks:
        assert (task.owner, task.retries) == ("rosterflow", 2)
        assert isinstance(task.retry_policy, ByErrorClass)
        assert all((task.on_failure_callback, task.on_retry_callback, task.on_success_callback))


def test_the_sign_of_life_is_sent_only_when_a_connection_is_named_and_all_went_well(dag: Callable[[str], Any]) -> None:
    heartbeat = dag("watchdog").get_task("heartbeat")

    assert heartbeat.http_conn_id == "watchdog"
    assert heartbeat.trigger_rule == "all_success"
    assert heartbeat.upstream_task_ids == set(DUTIES)


def test_the_dag_file_is_short() -> None:
    assert len(FILE.read_text(encoding="utf-8").splitlines()) <= 80


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    (tmp_path / "institutions").mkdir()
    (tmp_path / "institutions" / "fjordvik.yaml").write_text(yaml_of("fjordvik"), encoding="utf-8")
    monkeypatch.setenv("ROSTERFLOW_DATABASE_URL", f"sqlite:///{tmp_path}/store.db")
    monkeypatch.setenv("ROSTERFLOW_STORAGE", f"file://{tmp_path}/blobs")
    monkeypatch.setenv("ROSTERFLOW_PAGE_KEYS", Fernet.generate_key().decode())
    monkeypatch.setenv("ROSTERFLOW_INSTITUTIONS", str(tmp_path / "institutions"))
    monkeypatch.setenv("ROSTERFLOW_OPERATORS", "operators@drift.example")
    store = Store(f"sqlite:///{tmp_path}/store.db")
    migrate.upgrade(store)
    yield store
    store.dispose()


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSandbox]:
    with RunningSandbox() as running:
        extra = {"disable_ssl": True, "disable_tls": True, "retry_limit": 0, "from_email": "rosterflow@drift.example"}
        connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": running.smtp_port, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
        yield running


def silent(store: Store) -> None:
    with store.begin() as connection:
        institutions.standing(connection, "fjordvik", datetime.now(UTC) - timedelta(days=3))


@pytest.mark.parametrize("duty", DUTIES)
def test_each_duty_does_well_in_an_installation_without_trouble(
    store: Store, sandbox: RunningSandbox, duty: str
) -> None:
    HousekeepingOperator(task_id=duty).execute({})

    assert sandbox.world.mailbox.messages() == []


def test_silence_reaches_people_through_the_mail_server(store: Store, sandbox: RunningSandbox) -> None:
    silent(store)

    assert HousekeepingOperator(task_id="tell_silence").execute({}) == 1

    assert [mail.recipients for mail in sandbox.world.mailbox.messages()] == [("operators@drift.example",)]


@pytest.mark.parametrize("duty", ["tell_silence", "reach_mail_server"])
def test_a_dead_mail_server_turns_housekeeping_red(store: Store, monkeypatch: pytest.MonkeyPatch, duty: str) -> None:
    silent(store)
    extra = {"disable_ssl": True, "disable_tls": True, "retry_limit": 0, "from_email": "rosterflow@drift.example"}
    connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": 1, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))

    with pytest.raises(RosterflowError) as raised:
        HousekeepingOperator(task_id=duty).execute({})

    assert raised.value.code is Code.MAIL_FAILED
