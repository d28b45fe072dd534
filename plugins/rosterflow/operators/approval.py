"""A person decides about held changes, in the Airflow UI."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Context, Param
from airflow.sdk.exceptions import AirflowSkipException
from airflow.sdk.execution_time.hitl import HITLUser

from rosterflow.domain.errors import Code, RetryableError
from rosterflow.domain.institution import Approval
from rosterflow.operators.institution import InstitutionOperator, TenantOperator, defaults, now
from rosterflow.operators.waiting import WaitsForCanvas
from rosterflow.store import approvals
from rosterflow.store.bulk import batches
from rosterflow.sync.approving import Answer, conclude, decide
from rosterflow.sync.describing import Description, describe
from rosterflow.sync.runs import take_lease
from rosterflow.triggers.canvas import Awaited

APPROVE = "Approve"
REJECT = "Reject"
NOBODY = "time-out"
LINES_IN_A_RECORD = 100
"""A first contact has a line for each object, and a record for each of them takes longer than to look it up."""


class Describes(TenantOperator):
    """Says what a person is asked about, and logs every change of it. Returns what the question needs."""

    @abstractmethod
    def told(self, number: int, link: str) -> Description:
        """What is asked about by a request."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Describe the request; the whole list of changes is this task's log."""
        number = context["params"]["approval_id"]
        told = self.told(number, context["ti"].log_url)
        for some in batches(told.lines, LINES_IN_A_RECORD):
            self.log.info("%s", "\n".join(some))
        with self.store.begin() as connection:
            request = approvals.get_approval(connection, self.institution, number)
        return {
            "two_person": request.two_person,
            "subject": told.subject,
            "body": told.body,
        }


class DescribeApprovalOperator(Describes, InstitutionOperator):
    """Says what a person is asked about, and logs every change of it. Returns what the question needs."""

    def told(self, number: int, link: str) -> Description:
        """What is asked about by a request of the institution."""
        return describe(self.store, self.settings, number, link=link)


class AskPersonOperator(HITLOperator):
    """Waits for a person's answer, with a comment; no worker slot and no trigger is held meanwhile.

    :param policy: who may answer, and how long that may take.
    :param described_by: task id of the description.
    :param first: task id of the first person's answer, when this one asks the second person.
    """

    def __init__(self, *, policy: Approval, described_by: str = "describe", first: str = "", **kwargs: Any) -> None:
        told = f"ti.xcom_pull(task_ids='{described_by}')"
        comment = Param("", type="string", title="Why", description="Kept in the audit.", source="task")
        form = {"params": {"comment": comment}}  # instead of the DAG's own, which Airflow puts into kwargs
        people = [HITLUser(id=user, name=user) for user in policy.approvers]
        super().__init__(
            subject=f"{{{{ {told}['subject'] }}}}" + (" – second person" if first else ""),
            body=f"{{{{ {told}['body'] }}}}",
            options=[APPROVE, REJECT],
            defaults=REJECT,
            response_timeout=timedelta(hours=policy.timeout_hours),
            assigned_users=people or None,
            **{**defaults(type(self), kwargs), **form},
        )
        self.described_by = described_by
        self.first = first

    def execute(self, context: Context) -> Any:
        """Ask, unless a second person is not needed, or this question has been answered.

        Airflow 3.3 may fail a task whose answer comes quickly (Airflow findings §0.4); the retry finds the answer kept.
        """
        kept = context["task_state_store"].get(_kept(context))
        if kept:
            return kept
        if self.first:
            ti = context["ti"]
            answer = ti.xcom_pull(task_ids=self.first)
            if not ti.xcom_pull(task_ids=self.described_by)["two_person"] or answer["chosen_options"] != [APPROVE]:
                raise AirflowSkipException("A second person is not needed.")
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Hand the answer on; whether it counts is decided, and written down, by :class:`DecideOperator`.

        Airflow's API accepts any form. A form that is not ours is an answer without a comment, not a failed question.
        """
        form = event.get("params_input")
        comment = form.get("comment") if isinstance(form, Mapping) else None
        form = {"comment": comment if isinstance(comment, str) else ""}
        answer = dict(super().execute_complete(context, {**event, "params_input": form}))
        answer["responded_at"] = answer["responded_at"].isoformat()
        context["task_state_store"].set(_kept(context), answer)
        return answer


class DecideOperator(WaitsForCanvas):
    """Checks the answers, because Airflow's API does not, and whether Canvas is still as it was shown.

    It is in no pool: while it waits for another writer, that writer needs the slot.

    :param asked_by: task ids of the questions, first person first.
    """

    def __init__(self, *, asked_by: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.asked_by = tuple(asked_by)

    def execute(self, context: Context) -> dict[str, Any]:
        """Decide.

        :raises AirflowSkipException: when nothing of the request is to be applied.
        """
        answers = [answer for task in self.asked_by if (answer := answer_of(context, task))]
        try:
            run = take_lease(self.store, self.settings, self.run_of(context), now())
        except RetryableError as error:
            if error.code is not Code.WRITER_BUSY:
                raise
            self.log.info("%s", error.message)
            self.come_back(error.retry_after)
        verdict = decide(self.store, self.settings, run, context["params"]["approval_id"], answers, now())
        self.log.info("%s", verdict)
        if not verdict.approved:
            raise AirflowSkipException("Nothing of this request is to be applied.")
        return {"approved": verdict.approved}

    def over(self, context: Context, awaited: Awaited, canvas_id: str) -> Any:
        """Nothing of Canvas's is waited for here."""
        raise TypeError(f"{awaited} {canvas_id} is not waited for in a decision")


class ConcludeApprovalOperator(InstitutionOperator):
    """Writes down that what was approved has been applied."""

    def execute(self, context: Context) -> None:
        """Conclude; the first approved plan of an institution ends its first contact."""
        conclude(self.store, self.settings, context["params"]["approval_id"], now())


def _kept(context: Context) -> str:
    """Where the answer is kept for a retry; a task cleared by hand, which has more tries, asks anew."""
    return f"answer_{context['ti'].max_tries}"


def answer_of(context: Context, task_id: str) -> Answer | None:
    """What a person answered to a question, ``None`` when the question was not asked."""
    given = context["ti"].xcom_pull(task_ids=task_id)
    if not given:
        return None
    user = given.get("responded_by_user") or {}
    return Answer(
        chosen=next(iter(given["chosen_options"]), ""),
        comment=given["params_input"]["comment"],
        user=str(user.get("id") or NOBODY),
        timed_out=not user,
    )
