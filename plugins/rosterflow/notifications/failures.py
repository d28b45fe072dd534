"""The mail about a failed run: what failed, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from airflow.sdk import Context
from sqlalchemy.exc import SQLAlchemyError

from rosterflow.domain.errors import REMEDIES, Code, RosterflowError
from rosterflow.notifications import links
from rosterflow.notifications.mail import send
from rosterflow.notifications.notifier import InstitutionNotifier
from rosterflow.notifications.recording import task_name
from rosterflow.settings import environment
from rosterflow.store.engine import Store
from rosterflow.store.failures import failures_of
from rosterflow.sync.letters import write

REASONS = {
    "task_failure": "A task failed.",
    "timed_out": "The run took longer than its DAG allows, and Airflow ended it.",
    "all_tasks_deadlocked": "The tasks that were left could never start.",
}
"""What Airflow calls the reason of a failed run, and what that means."""

NOTHING_RECORDED = "No error was written down: the worker was killed, or Airflow ended the task. Its log says more."
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed task, as the mail shows it.

    :param code: empty when no error was written down.
    :param log: address of its log.
    """

    task: str
    try_number: int | None
    code: str
    message: str
    remedy: str
    log: str


class FailureMail(InstitutionNotifier):
    """Mails a failed run, for a DAG's ``on_failure_callback``: to the institution's receivers, else to the operators.

    It is called in the DAG processor, where the error is not known: the tasks have written it down before
    (:mod:`rosterflow.notifications.recording`).
    """

    def notify(self, context: Context) -> None:
        """Send the mail.

        :raises RosterflowError: ``mail-failed``; Airflow writes it to the DAG processor's log.
        """
        dag_id, run_id = context["dag"].dag_id, str(context["run_id"])
        institution = self.settings()
        receivers = (institution.mail.failures if institution else ()) or self.operators()
        if not receivers:
            self.log.error("%s %s failed, and nobody is to be told: set mail.failures", dag_id, run_id)
            return
        failed, note = self._failures(dag_id, run_id, context.get("ti"))
        reason = str(context.get("reason") or "")
        codes = sorted({one.code for one in failed if one.code})
        name = institution.name if institution else self.institution or "Rosterflow"
        letter = write(
            "failure",
            receivers,
            f"{name}: {dag_id} failed" + (f" ({', '.join(codes)})" if codes else ""),
            name=name,
            dag_id=dag_id,
            run_id=run_id,
            reason=REASONS.get(reason, f"Airflow says: {reason}." if reason else ""),
            note=note,
            failures=failed[:SHOWN],
            more=max(len(failed) - SHOWN, 0),
            run_page=links.run_page(dag_id, run_id),
        )
        send(letter)

    def _failures(self, dag_id: str, run_id: str, ti: Any) -> tuple[list[Failure], str]:
        """The failed tasks, first one first, and a note when what was written down cannot be read."""
        note = ""
        try:
            store = Store(environment().database_url)
            with store.begin() as connection:
                recorded = failures_of(connection, dag_id, run_id)
            store.dispose()
        except (RosterflowError, SQLAlchemyError) as error:
            what = error.message if isinstance(error, RosterflowError) else type(error).__name__
            note = f"What the tasks wrote down could not be read from the store: {what}"
            recorded = []
        failed = [_recorded(row, dag_id, run_id) for row in recorded]
        if ti is not None and task_name(ti) not in {one.task for one in failed}:
            failed.append(_unrecorded(ti, dag_id, run_id, told=NOTHING_RECORDED if not note else "Its log says more."))
        return failed, note


def _recorded(row: Any, dag_id: str, run_id: str) -> Failure:
    code = Code(row.code)
    log = links.log_page(dag_id, run_id, row.task_id, row.try_number)
    return Failure(row.task_id, row.try_number, code, row.message, REMEDIES[code], log)


def _unrecorded(ti: Any, dag_id: str, run_id: str, *, told: str) -> Failure:
    name, number = task_name(ti), getattr(ti, "try_number", None)
    return Failure(name, number, "", told, "", links.log_page(dag_id, run_id, name, number))
