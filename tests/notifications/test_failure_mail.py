from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rosterflow.domain.errors import Code, FatalError, NeedsPerson, RetryableError
from rosterflow.notifications.failures import FailureMail
from rosterflow.notifications.recording import record_failure_of_task
from rosterflow.store.engine import Store
from rosterflow.sync.letters import Letter
from sandbox.mail import Message
from tests.household import as_golden, assert_golden
from tests.notifications.running import RUN_ID, Task, dag_context, task_context

GOLDEN = Path(__file__).parent / "golden"
Mails = Callable[[], list[Message]]


def failed(task: str, try_number: int, error: Exception, map_index: int = -1) -> None:
    record_failure_of_task(task_context(Task(task, try_number, map_index), error))


def as_letter(mail: Message) -> Letter:
    return Letter(mail.recipients, mail.subject, mail.plain, mail.html)


def test_a_failed_run_is_mailed_with_what_failed_where_and_the_remedy(store: Store, mails: Mails) -> None:
    failed("read.emner", 5, RetryableError(Code.SERVER_ERROR, "fjordvik: emner, page 2: FS answered with 503."))
    failed("settle", 1, NeedsPerson(Code.SETTINGS_INVALID, "2 problem(s):\n- canvas.acount: no such setting\n- <key>"))

    FailureMail("fjordvik")(dag_context(Task("settle")))

    [mail] = mails()
    assert_golden(as_golden(as_letter(mail)), GOLDEN / "failure.txt")


def test_a_killed_task_is_named_beside_those_that_wrote_something_down(store: Store, mails: Mails) -> None:
    failed("read.emner", 5, RetryableError(Code.SERVER_ERROR, "FS answered with 503."))

    FailureMail("fjordvik")(dag_context(Task("apply", 4)))

    [mail] = mails()
    assert "* read.emner, try 5: server-error" in mail.plain
    assert "* apply, try 4\n  No error was written down: the worker was killed" in mail.plain


def test_a_run_that_took_too_long_and_wrote_nothing_down_is_mailed(store: Store, mails: Mails) -> None:
    FailureMail("fjordvik")(dag_context(reason="timed_out"))

    [mail] = mails()
    assert_golden(as_golden(as_letter(mail)), GOLDEN / "failure_timed_out.txt")


def test_a_reason_we_do_not_know_is_airflow_s_word(store: Store, mails: Mails) -> None:
    FailureMail("fjordvik")(dag_context(reason="struck_by_lightning"))

    assert "Airflow says: struck_by_lightning." in mails()[0].plain


def test_the_mail_is_sent_and_says_so_when_the_store_cannot_be_reached(
    installation: Path, mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROSTERFLOW_DATABASE_URL", f"sqlite:///{installation}/no/such/folder/store.db")

    FailureMail("fjordvik")(dag_context(Task("plan", 5)))

    [mail] = mails()
    assert_golden(as_golden(as_letter(mail)), GOLDEN / "failure_store_away.txt")


def test_the_mail_is_sent_and_says_so_when_the_store_has_no_tables(installation: Path, mails: Mails) -> None:
    FailureMail("fjordvik")(dag_context(Task("plan", 5)))

    assert "What the tasks wrote down could not be read from the store" in mails()[0].plain


def test_the_institution_is_told_even_where_the_environment_is_missing(
    installation: Path, mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROSTERFLOW_DATABASE_URL")

    FailureMail("fjordvik")(dag_context(Task("plan", 5)))

    assert "The environment lacks ROSTERFLOW_DATABASE_URL." in mails()[0].plain


def test_a_run_about_the_whole_installation_is_told_to_the_operators(store: Store, mails: Mails) -> None:
    FailureMail()(dag_context())

    assert mails()[0].recipients == ("operators@drift.example",)


def test_an_institution_whose_settings_are_broken_is_told_to_the_operators(
    store: Store, installation: Path, mails: Mails
) -> None:
    (installation / "fjordvik.yaml").write_text("key: fjordvik\n", encoding="utf-8")

    FailureMail("fjordvik")(dag_context())

    [mail] = mails()
    assert mail.recipients == ("operators@drift.example",)
    assert mail.subject == "[Rosterflow] fjordvik: fs_canvas_sync__fjordvik failed"


def test_nobody_is_mailed_when_nobody_is_to_be_told(
    store: Store, installation: Path, mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROSTERFLOW_OPERATORS", "")

    FailureMail()(dag_context())

    assert mails() == []


def test_only_the_first_twenty_failed_tasks_are_shown(store: Store, mails: Mails) -> None:
    for index in range(23):
        failed("read", 1, FatalError(Code.FORBIDDEN, f"Page {index}."), map_index=index)

    FailureMail("fjordvik")(dag_context())

    [mail] = mails()
    assert mail.plain.count("* read[") == 20
    assert "… and 3 more." in mail.plain


def test_the_link_of_a_mapped_task_leads_to_its_own_log(store: Store, mails: Mails) -> None:
    failed("read", 2, FatalError(Code.FORBIDDEN, "No."), map_index=7)

    FailureMail("fjordvik")(dag_context())

    run = RUN_ID.replace("+", "%2B").replace(":", "%3A")
    link = f"https://airflow.drift.example/under/dags/fs_canvas_sync__fjordvik/runs/{run}/tasks/read/mapped/7"
    assert f"  Log: {link}?try_number=2" in mails()[0].plain.splitlines()
