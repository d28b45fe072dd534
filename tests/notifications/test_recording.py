from __future__ import annotations

from pathlib import Path

import pytest

from rosterflow.domain.errors import Code, FatalError, RetryableError
from rosterflow.notifications.recording import RECORDING, forget_failure_of_task, record_failure_of_task
from rosterflow.store.engine import Store
from rosterflow.store.failures import failures_of
from tests.notifications.running import DAG_ID, RUN_ID, Task, task_context

FAILED = FatalError(Code.UNAUTHORIZED, "fjordvik: FS does not accept user name and password.")


def recorded(store: Store) -> list[tuple[str, str, str, int]]:
    with store.begin() as connection:
        return [(r.task_id, r.code, r.message, r.try_number) for r in failures_of(connection, DAG_ID, RUN_ID)]


def test_a_failure_is_written_down_with_code_message_and_try(store: Store) -> None:
    record_failure_of_task(task_context(Task("read.emner", 3), FAILED))

    assert recorded(store) == [("read.emner", "unauthorized", FAILED.message, 3)]


def test_of_an_error_that_is_not_ours_only_the_class_is_kept(store: Store) -> None:
    record_failure_of_task(task_context(Task("plan"), KeyError("Kari Nordmann, 010190")))

    assert recorded(store) == [("plan", "unexpected", "The task ended with KeyError.", 1)]


def test_the_newest_try_counts(store: Store) -> None:
    record_failure_of_task(task_context(Task("plan", 1), RetryableError(Code.STORE_UNAVAILABLE, "Away.")))
    record_failure_of_task(task_context(Task("plan", 2), FAILED))

    assert recorded(store) == [("plan", "unauthorized", FAILED.message, 2)]


@pytest.mark.parametrize("ending", ["on_success_callback", "on_skipped_callback"])
def test_a_task_that_went_well_after_all_is_forgotten(store: Store, ending: str) -> None:
    record_failure_of_task(task_context(Task("plan"), FAILED))
    record_failure_of_task(task_context(Task("guard"), FAILED))

    RECORDING[ending](task_context(Task("plan", 2)))

    assert [task for task, *_ in recorded(store)] == ["guard"]


def test_a_killed_task_has_no_error_and_what_it_said_before_is_forgotten(store: Store) -> None:
    record_failure_of_task(task_context(Task("apply", 1), FAILED))

    record_failure_of_task(task_context(Task("apply", 2)))

    assert recorded(store) == []


def test_mapped_tasks_are_told_apart(store: Store) -> None:
    for index in (0, 1):
        record_failure_of_task(task_context(Task("read", map_index=index), FAILED))

    forget_failure_of_task(task_context(Task("read", map_index=0)))

    assert [task for task, *_ in recorded(store)] == ["read[1]"]


def test_a_store_that_cannot_be_reached_is_an_error_that_airflow_logs(
    installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROSTERFLOW_DATABASE_URL", f"sqlite:///{installation}/no/such/folder/store.db")

    with pytest.raises(RetryableError, match="store cannot be reached"):
        record_failure_of_task(task_context(Task("plan"), FAILED))
