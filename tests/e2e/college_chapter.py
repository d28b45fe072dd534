"""The college's chapter of the end-to-end tests: its queue, filled by its DAG, by a form and by an approval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from demo.airflow_api import Json
from demo.errors import DemoError
from rosterflow.domain.coursekey.campus import SectionKey
from tests.e2e.chapters import COMMENT
from tests.e2e.ground import Ground, Seen

OUTBOUND = "coursekey_outbound__college"
QUEUE = "coursekey_queue__college"
APPROVAL = "coursekey_approval__college"
POISON = "990900"
WHY = "The department teaches it early."

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Outcome:
    """A run with what CourseKey had after it.

    :param calls: operations that were called during it, in order.
    :param there: CourseKey as /control/coursekey/state shows it.
    """

    run: Seen
    calls: list[str]
    there: Json

    def enrolled(self, section: SectionKey) -> set[str]:
        """Campus Cafe IDs of the students of a section's course."""
        year, term = int(section.semester[:4]), section.semester[4:]
        last = f" in Fall {year}" if term == "10" else f" in Spring {year + 1}"
        return {
            row["issuedID"]
            for course in self.there["courses"]
            if course["name"].startswith(f"{section.course} - {section.section}: ") and course["name"].endswith(last)
            for row in course["enrollments"]
            if row["isActive"]
        }


@dataclass(frozen=True)
class CollegeYear:
    """What the college did.

    :param sent: entries of the queue that were DONE after the first run, by kind.
    :param poisoned: a run with a new student who has no e-mail address, and the mail about it.
    :param refused: Airflow's words about a form without a reason.
    :param early: a section whose window is not open; ``form`` queued it and ``by_form`` sent it.
    :param dropped: a section all of whose students drop; ``held`` is the run that asked about them.
    :param refusal: Airflow's words to a viewer who answers.
    """

    first: Outcome
    sent: dict[str, int]
    quiet: Outcome
    poisoned: Outcome
    mail: Json
    refused: str
    early: SectionKey
    early_students: set[str]
    form: Seen
    by_form: Outcome
    dropped: SectionKey
    dropped_students: set[str]
    held: Outcome
    question: Json
    refusal: str
    approval: Seen
    after: Outcome
    audit: Rows


def college(ground: Ground) -> CollegeYear:
    ground.wait_for_dag(OUTBOUND)
    ground.client.unpause(OUTBOUND)
    first = outbound(ground)
    done = "select kind, count(*) from queue_entry where institution = 'college' and state = 'DONE' group by kind"
    sent: dict[str, int] = dict(ground.record(done))
    quiet = outbound(ground)
    early, early_students = _a_class(ground, "DEFERRED", "before-window")
    dropped, dropped_students = _a_class(ground, "DONE", "sent")
    ground.put("persons", id=POISON, firstName="Newcomer", lastName="Grisquist", email="")
    _register(ground, dropped, POISON, "registered")
    poisoned = outbound(ground)
    mail = ground.wait_for_mail("registrar@college.example", "1 entry could not be sent to CourseKey")
    refused = _form_without_reason(ground, early)
    form = _form(ground, early)
    by_form = outbound(ground)
    for student in dropped_students:
        _register(ground, dropped, student, "dropped")
    held = outbound(ground)
    question = ground.question("college", about="coursekey")
    refusal = ground.refusal("viewer", question)
    ground.answer("registrar", question, "Approve", COMMENT)
    approval = ground.ended(APPROVAL, question["task_instance"]["dag_run_id"])
    after = outbound(ground)
    audit = ground.record("select actor, act, reason from audit where institution = 'college' order by id")
    return CollegeYear(
        first,
        sent,
        quiet,
        poisoned,
        mail,
        refused,
        early,
        early_students,
        form,
        by_form,
        dropped,
        dropped_students,
        held,
        question,
        refusal,
        approval,
        after,
        audit,
    )


def outbound(ground: Ground) -> Outcome:
    """Run the outbound DAG."""
    url = f"{ground.stack.sandbox_url}/control/coursekey/calls"
    httpx.delete(url, timeout=60, trust_env=False).raise_for_status()
    run = ground.ended(OUTBOUND, ground.client.trigger(OUTBOUND))
    calls = [call["operation"] for call in ground.get("/control/coursekey/calls")["calls"]]
    return Outcome(run, calls, ground.get("/control/coursekey/state"))


def _a_class(ground: Ground, state: str, rule: str) -> tuple[SectionKey, set[str]]:
    """The section with most students whose entry is in a state by a rule."""
    rows = ground.record(
        "select semester, course, section, person from queue_entry "
        f"where institution = 'college' and kind = 'enrollment' and state = '{state}' and rule = '{rule}'"
    )
    classes: dict[SectionKey, set[str]] = {}
    for semester, course, section, person in rows:
        classes.setdefault(SectionKey(semester, course, section), set()).add(person)
    return max(classes.items(), key=lambda one: (len(one[1]), one[0]))


def _register(ground: Ground, section: SectionKey, person: str, status: str) -> None:
    named = {"semester": section.semester, "courseNumber": section.course, "section": section.section}
    ground.put("registrations", **named, personId=person, status=status)


def _form(ground: Ground, section: SectionKey) -> Seen:
    """Fill in the form of the queue DAG, as a registrar does, and wait until it is done."""
    form = {"act": "enrollments", **section._asdict(), "reason": WHY}
    return ground.ended(QUEUE, ground.stack.airflow.client_for("registrar").trigger(QUEUE, form))


def _form_without_reason(ground: Ground, section: SectionKey) -> str:
    try:
        ground.client.trigger(QUEUE, {"act": "enrollments", **section._asdict()})
    except DemoError as error:
        return str(error)
    return ""
