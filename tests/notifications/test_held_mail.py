from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Context

from rosterflow.notifications.held import HeldMail
from rosterflow.sync.letters import Letter
from sandbox.mail import Message
from tests.household import as_golden, assert_golden, yaml_of
from tests.notifications.running import Task

GOLDEN = Path(__file__).parent / "golden"
Mails = Callable[[], list[Message]]

BODY = """\
| account | close | delete |
| --- | --- | --- |
| 999_1_0_0 Lærerutdanning <gammel> | 12 | 0 |
| 999_2_0_0 Sykepleie | 3 | 1 |

**removals-account**: 12 of 40 courses in 999_1_0_0; the limit is 5.
"""


def asking() -> Context:
    ask_person = HITLOperator(
        task_id="ask_person",
        subject="Fjordvik: 15 courses to close, 1 account to delete",
        body=BODY,
        options=["Approve", "Reject"],
    )
    ti = Task("ask_person", dag_id="canvas_approval__fjordvik", run_id="approval__7")
    return cast(Context, {"task": ask_person, "ti": ti})


def test_what_waits_for_a_person_is_mailed_with_counts_reasons_and_the_link_to_answer(
    installation: Path, mails: Mails
) -> None:
    HeldMail("fjordvik")(asking())

    [mail] = mails()
    letter = Letter(mail.recipients, mail.subject, mail.plain, mail.html)
    assert_golden(as_golden(letter), GOLDEN / "held.txt")


def test_where_the_settings_name_nobody_the_operators_are_told(installation: Path, mails: Mails) -> None:
    (installation / "fjordvik.yaml").write_text(yaml_of("fjordvik"), encoding="utf-8")

    HeldMail("fjordvik")(asking())

    assert [mail.recipients for mail in mails()] == [("operators@drift.example",)]


def test_where_there_are_no_operators_either_nobody_is(
    installation: Path, mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    (installation / "fjordvik.yaml").write_text(yaml_of("fjordvik"), encoding="utf-8")
    monkeypatch.delenv("ROSTERFLOW_OPERATORS")

    HeldMail("fjordvik")(asking())

    assert mails() == []


def test_a_dead_mail_server_does_not_keep_the_question_from_being_asked(
    installation: Path, mails: Mails, smtp: Callable[..., None]
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        smtp(nobody.getsockname()[1])

        HeldMail("fjordvik")(asking())

    assert mails() == []


def test_a_task_that_asks_nothing_cannot_be_told_about(installation: Path, mails: Mails) -> None:
    context = cast(Context, {**asking(), "task": Task("plan")})

    with pytest.raises(TypeError, match="plan asks nobody anything"):
        HeldMail("fjordvik")(context)
