"""What every task about one college has in common; and its tasks that people steer: approving, queueing by hand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from rosterflow.domain.attendance.reading import KeptRead
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.snapshot import Scope
from rosterflow.operators.approval import Describes, answer_of
from rosterflow.operators.institution import TenantOperator, now
from rosterflow.operators.params import REQUEUE
from rosterflow.settings import institutions_folder, load_college
from rosterflow.store.queue_looking import Selection
from rosterflow.store.runs import Run
from rosterflow.sync.attendance_importing import import_read
from rosterflow.sync.attendance_reading import Opened
from rosterflow.sync.attendance_voids import decide_voids, describe_voids, is_about_attendance
from rosterflow.sync.describing import Description, describe
from rosterflow.sync.queueing import What, queue_by_hand, requeue_failed
from rosterflow.sync.removing import decide_removals, world_there
from rosterflow.sync.runs import open_run
from rosterflow.xcom import page_store

FILTERS = ("semester", "course", "section", "cause")


class CollegeOperator(TenantOperator):
    """A task about one college."""

    @cached_property
    def settings(self) -> College:
        """The college's settings."""
        return load_college(institutions_folder() / f"{self.institution}.yaml")

    def open_run(self, context: Context) -> Run:
        """Our record of the DAG run that this task begins."""
        dag_run = context["dag_run"]
        return open_run(
            self.store,
            self.settings,
            dag_id=dag_run.dag_id,
            dag_run_id=dag_run.run_id,
            mode="apply",
            scope=Scope(frozenset()),
            now=now(),
        )


class DescribeRemovalsOperator(Describes, CollegeOperator):
    """Says whom a person is asked about, and logs every removal. Returns what the question needs."""

    def told(self, number: int, link: str) -> Description:
        """What is asked about by a request of the college."""
        with self.store.begin() as connection:
            about_attendance = is_about_attendance(connection, self.settings, number)
        if about_attendance:
            return describe_voids(self.store, self.settings, number, link=link)
        world_in = partial(world_there, college=self.settings)
        return describe(self.store, self.settings, number, link=link, world_in=world_in, unit="Semester")


class DecideRemovalsOperator(CollegeOperator):
    """Checks the answers, because Airflow's API does not, and has what was approved carried out.

    Removals are queued; time attended that is gone is taken back in the ledger, for the next import to write.

    :param asked_by: task ids of the questions, first person first.
    """

    def __init__(self, *, asked_by: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.asked_by = tuple(asked_by)

    def execute(self, context: Context) -> dict[str, int]:
        """Decide.

        :raises AirflowSkipException: when nothing of the request is to be sent.
        """
        answers = [answer for task in self.asked_by if (answer := answer_of(context, task))]
        run, number = self.open_run(context), context["params"]["approval_id"]
        with self.store.begin() as connection:
            about_attendance = is_about_attendance(connection, self.settings, number)
        if about_attendance:
            again = partial(self._join_again, run.id)
            verdict = decide_voids(self.store, self.settings, run.id, number, answers, now(), again)
        else:
            verdict = decide_removals(self.store, self.settings, run.id, number, answers, now())
        self.log.info("%s", verdict)
        if not verdict.approved:
            raise AirflowSkipException("Nothing of this request is to be sent.")
        return {"approved": verdict.approved}

    def _join_again(self, run: int, read: KeptRead) -> None:
        opened = Opened(read, lambda page: page_store().get_bytes(page.name))
        import_read(self.store, self.settings, run, opened, now(), approved=True)


class QueueByHandOperator(CollegeOperator):
    """Adds a semester, a course or a section to the queue, or has failed entries tried again; as the form asks."""

    def execute(self, context: Context) -> str:
        """Queue; returns what became of it, in words.

        :raises FatalError: ``settings-invalid`` for a section without a course, or without a reason.
        """
        form = context["params"]
        by = str(getattr(context["dag_run"], "triggering_user_name", None) or "unknown")
        semester, course, section, cause = ((form[name] or "").strip() for name in FILTERS)
        reason = form["reason"]
        if form["act"] == REQUEUE:
            ids = tuple(form["ids"] or ())
            which = Selection(ids, error_code=cause, semester=semester, course=course, section=section)
            again = requeue_failed(self.store, self.settings, which, by=by, reason=reason, now=now())
            told = f"{again} entries are tried again"
        else:
            what = What(form["act"])
            told = str(
                queue_by_hand(
                    self.store, self.settings, what, semester, course, section, by=by, reason=reason, now=now()
                )
            )
        self.log.info("%s", told)
        return told
