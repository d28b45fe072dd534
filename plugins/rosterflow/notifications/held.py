"""The mail about changes that wait for a person."""

from __future__ import annotations

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Context

from rosterflow.domain.errors import RosterflowError
from rosterflow.notifications import links
from rosterflow.notifications.mail import send
from rosterflow.notifications.notifier import InstitutionNotifier
from rosterflow.sync.letters import as_html, write


class HeldMail(InstitutionNotifier):
    """Mails what a person is asked, with the link to answer; for the ``notifiers`` of a human-in-the-loop task.

    No answer in time is a no, so somebody is told: the institution's receivers, else the operators.

    The task's subject and body, already filled in, are the mail's: counts per account, reasons, the list. A dead mail
    server does not keep the question from being asked: the page in Airflow stays, and housekeeping turns red.
    """

    def notify(self, context: Context) -> None:
        """Send the mail to the institution's ``mail.held``, else to the operators."""
        task, ti = context["task"], context["ti"]
        if not isinstance(task, HITLOperator):
            raise TypeError(f"{task.task_id} asks nobody anything")
        institution = self.settings()
        receivers = (institution.mail.held if institution else ()) or self.operators()
        if not receivers:
            self.log.warning("%s: changes wait for a person, and nobody is to be told: set mail.held", self.institution)
            return
        letter = write(
            "held",
            receivers,
            task.subject,
            name=institution.name if institution else self.institution,
            body=task.body or "",
            body_html=as_html(task.body or ""),
            answer_page=links.required_actions_page(ti.dag_id, ti.run_id, ti.task_id),
        )
        try:
            send(letter)
        except RosterflowError as error:
            self.log.error("Nobody was told by mail: %s", error)
