"""The college's part of `make demo`: what changes in Campus Cafe comes into CourseKey, through the queue.

It follows `demo.story`, which made the connection for mail and the store. A college begins its work in the middle of a
semester, a second run sends nothing, a day of change arrives, a class that drops as a whole waits for a person, and one
of a hundred late students cannot be sent and keeps nobody else from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import httpx
from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Table

from demo.airflow_api import Json, wait_for
from demo.errors import DemoError
from demo.stack import Stack
from demo.steps import step
from demo.story import COMMENT, RUN_SECONDS, get, opened, post
from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.coursekey.queue import Entry, EntryKind, EntryState, Intent
from rosterflow.store import queue_history, queue_looking
from rosterflow.store.campus import StoredCampus
from rosterflow.store.queue_history import Line
from rosterflow.store.queue_looking import Selection

COLLEGE = "college"
API_NAME = "CC_CKY"
OUTBOUND = f"coursekey_outbound__{COLLEGE}"
APPROVAL = f"coursekey_approval__{COLLEGE}"
KEYS = {1: "548156", 2: "612001"}
"""The auth keys of the sandbox's CourseKey, and a school of each for the Test button."""

A_DOZEN = 12
LATE = 100
POISON = "990900"
"""Campus Cafe ID of the student without an e-mail address."""
MOST = 100_000


@step("A college: connections to Campus Cafe and CourseKey are made, and the Test buttons pressed")
def the_college_is_set_up(stack: Stack) -> None:
    """One connection for each auth key; the settings are in include/institutions/college.yaml."""
    client, url = stack.airflow.client, stack.sandbox_url
    client.create_connection(
        "campus_cafe_demo", "campus_cafe", host=f"{url}/campuscafe", password="sandbox-campuscafe-token"
    )
    for number, school in KEYS.items():
        # The sandbox stands more than the ten calls a second that a real CourseKey is asked by default.
        fast = {"school_id": school, "calls_per_second": 500, "concurrent_calls": 8}
        key = f"sandbox-coursekey-key-{number}"
        client.create_connection(
            f"coursekey_demo_{number}", "coursekey", host=f"{url}/coursekey", password=key, extra=fast
        )
    for connection in ("campus_cafe_demo", *(f"coursekey_demo_{number}" for number in KEYS)):
        tested = client.test_connection(connection)
        if not tested["status"]:
            raise DemoError(f"{connection}: {tested['message']}")
        stack.say(f"{connection}: {tested['message']}")


@step("First drain: accounts, courses, staff, sessions and enrollments of the fall, and what cannot be sent")
def first_drain(stack: Stack) -> None:
    """Switch the DAG on, which starts a run at once, and compare the queue with what CourseKey has."""
    client = stack.airflow.client
    client.unpause(OUTBOUND)
    first = wait_for(
        lambda: next(iter(client.runs(OUTBOUND)), None), "the scheduled run", seconds=RUN_SECONDS, meanwhile=stack.check
    )
    ended(stack, first["dag_run_id"])
    entries = in_queue(stack)
    Console().print(queue_table(entries))
    Console().print(failures_table(entries))
    there, done = coursekey(stack), [entry for entry in entries if entry.state is EntryState.DONE]
    stack.say(f"CourseKey has {', '.join(f'{count} {name}' for name, count in there.items())}")
    sent = Counter(entry.entity.kind for entry in done)
    expect(sent[EntryKind.ENROLLMENT] > 500, "only few enrollments were sent")
    expect(there["enrollments"] == sent[EntryKind.ENROLLMENT], "CourseKey has other enrollments than were sent")
    expect(there["courses"] == sent[EntryKind.COURSE], "CourseKey has other courses than were sent")
    expect(not any(entry.state is EntryState.PENDING for entry in entries), "something is left in the queue")
    mails = Counter(user["welcomeMails"] for user in get(stack, "/control/coursekey/state")["users"])
    expect(set(mails) == {0, 1}, "somebody got two welcome mails")
    stack.say(f"{mails[1]} new users got one welcome mail each, nobody got two")


@step("The second run finds nothing to send: CourseKey is not called once")
def nothing_to_send(stack: Stack) -> None:
    """Count the calls anew, run, and see that there was none."""
    httpx.delete(f"{stack.sandbox_url}/control/coursekey/calls", timeout=60, trust_env=False).raise_for_status()
    run(stack)
    calls = get(stack, "/control/coursekey/calls")["calls"]
    expect(not calls, f"CourseKey was called {len(calls)} times although nothing had changed")
    stack.say("zero calls to CourseKey")


@step("A day passes in Campus Cafe, and a whole class drops: the day arrives, the class waits for a person")
def day_of_change(stack: Stack) -> None:
    """Play the day and run; what is too much at once is held as in a sync to Canvas."""
    before = last_line(stack)
    for change in post(stack, "/control/college/day-of-change")["changes"]:
        stack.say(f"in Campus Cafe: {change}")
    section, students = a_class(in_queue(stack))
    today = datetime.now(UTC).date().isoformat()
    for student in students:
        put_registration(stack, section, student, status="dropped", droppedOn=today)
    stack.say(f"in Campus Cafe: all {len(students)} students drop {section}")
    run(stack)
    lines = [line for line in lines_after(stack, before) if line.outcome.attempt]
    Console().print(lines_table(lines, "What the queue did that day"))
    expect(bool(lines), "the day did not arrive")
    expect(not any(line.outcome.state is EntryState.FAILED for line in lines), "a change of the day failed")
    expect(students <= active(stack, section), f"somebody was dropped from {section} unasked")


@step("A person reads whom the drops are about and approves them, with a comment")
def drops_are_approved(stack: Stack) -> None:
    """Answer the question in the UI's stead; the drops are queued with that."""
    client = stack.airflow.client
    question = client.wait_for_approval(APPROVAL, seconds=RUN_SECONDS, meanwhile=stack.check)
    stack.say(f"asked: {question['subject']}")
    Console().print(Padding(Markdown(question["body"]), (1, 4)))
    client.answer_approval(question, "Approve", {"comment": COMMENT}, seconds=RUN_SECONDS, meanwhile=stack.check)
    ended(stack, question["task_instance"]["dag_run_id"], APPROVAL)
    drops = [entry for entry in in_queue(stack) if entry.intent is Intent.REMOVE and entry.state is EntryState.PENDING]
    stack.say(f"{len(drops)} drops are queued; the next run sends them")


@step("A hundred students register late, one of them without an e-mail address: the others arrive, and a mail tells")
def one_of_a_hundred(stack: Stack) -> None:
    """Register them, run, and see what became of each, and of the drops."""
    before, gone = last_line(stack), a_class(in_queue(stack), Intent.REMOVE)
    section, students = late_students(stack)
    put(stack, "persons", id=POISON, firstName="Newcomer", lastName="Grisquist", email="")
    for student in (*students, POISON):
        put_registration(stack, section, student)
    run(stack)
    states = {
        line.outcome.entity.person: line.outcome.state
        for line in reversed(lines_after(stack, before))
        if line.outcome.entity.section_key == section and line.outcome.entity.kind is EntryKind.ENROLLMENT
    }
    counts = Counter(states.values())
    stack.say(
        f"of {len(states)} late students for {section}: {', '.join(f'{n} {state}' for state, n in counts.items())}"
    )
    expect(counts == {EntryState.DONE: LATE - 1, EntryState.FAILED: 1}, "not all but one were enrolled")
    expect(states[POISON] is EntryState.FAILED, "another than the poisoned entry failed")
    expect(active(stack, gone[0]).isdisjoint(gone[1]), f"somebody is in {gone[0]} still")
    stack.say(f"the {len(gone[1])} approved drops from {gone[0]} were sent")
    mail = next(mail for mail in get(stack, "/mail.json") if "could not be sent to CourseKey" in mail["subject"])
    expect(f"{section} {POISON}" in mail["plain"], "the mail does not tell of the entry that failed")
    stack.say(f"mail to {', '.join(mail['recipients'])}: {mail['subject']}")
    Console().print(Padding(mail["plain"].strip(), (1, 4)), markup=False, highlight=False)
    url = stack.sandbox_url
    stack.say(f"to look at it (DEMO_KEEP=1): {url}/college/coursekey, {url}/college/campuscafe and {url}/mail")


def run(stack: Stack) -> Json:
    """Start the outbound DAG and wait for its end."""
    return ended(stack, stack.airflow.client.trigger(OUTBOUND))


def ended(stack: Stack, run_id: str, dag_id: str = OUTBOUND) -> Json:
    """A run that went well, once it has ended. Raises `DemoError` when it failed."""
    client = stack.airflow.client
    done = client.wait_for_run(dag_id, run_id, seconds=RUN_SECONDS, meanwhile=stack.check)
    if done["state"] != "success":
        failed = [task["task_id"] for task in client.task_instances(dag_id, run_id) if task["state"] == "failed"]
        raise DemoError(f"the run {run_id} of {dag_id} failed in {', '.join(failed)}")
    return done


def expect(truth: bool, otherwise: str) -> None:
    """End the demo when it is not as told."""
    if not truth:
        raise DemoError(otherwise)


# -- what our store says ---------------------------------------------------------------------------------------------


def in_queue(stack: Stack) -> list[Entry]:
    """Every entry of the college's queue."""
    with opened(stack) as store, store.begin() as connection:
        return queue_looking.entries(connection, COLLEGE, API_NAME, tuple(EntryState), Selection(), MOST)


def last_line(stack: Stack) -> int:
    """Number of the last line of the queue history."""
    with opened(stack) as store, store.begin() as connection:
        return max((line.id for line in queue_history.latest(connection, COLLEGE, 1)), default=0)


def lines_after(stack: Stack, number: int) -> list[Line]:
    """The lines of the queue history after one, newest first."""
    with opened(stack) as store, store.begin() as connection:
        return [line for line in queue_history.latest(connection, COLLEGE, MOST) if line.id > number]


def a_class(entries: Iterable[Entry], intent: Intent = Intent.UPSERT) -> tuple[SectionKey, set[str]]:
    """A section with a dozen students or more who were sent, or are about to be dropped, and who they are."""
    state = EntryState.DONE if intent is Intent.UPSERT else EntryState.PENDING
    classes: dict[SectionKey, set[str]] = {}
    for entry in entries:
        key = entry.entity.section_key
        if key and entry.entity.kind is EntryKind.ENROLLMENT and (entry.intent, entry.state) == (intent, state):
            classes.setdefault(key, set()).add(entry.entity.person)
    large = [(len(students), key) for key, students in classes.items() if len(students) >= A_DOZEN]
    expect(bool(large), f"there is no class to {intent}")
    _, smallest = min(large)
    return smallest, classes[smallest]


def late_students(stack: Stack) -> tuple[SectionKey, Sequence[str]]:
    """A section at the main site, and students who have an account there and are not in it: 99 of them."""
    entries = [entry for entry in in_queue(stack) if entry.state is EntryState.DONE]
    there = sorted(e.entity.person for e in entries if e.entity.kind is EntryKind.USER and e.entity.site == "MAIN")
    sections = {key for e in entries if e.entity.kind is EntryKind.COURSE and (key := e.entity.section_key)}
    with opened(stack) as store, store.begin() as connection:
        campus = StoredCampus(connection, COLLEGE)
        for key in sorted(sections, reverse=True):  # the awkward ones come first
            section = campus.section(key)
            if section and section.site == "MAIN" and not section.is_excluded:
                registered = {one.person for one in campus.registrations_of(key)}
                free = [person for person in there if person.startswith("2") and person not in registered]
                expect(len(free) >= LATE - 1, f"only {len(free)} students could register late for {key}")
                return key, free[: LATE - 1]
    raise DemoError("there is no section at the main site")


# -- what the sandbox says -------------------------------------------------------------------------------------------


def coursekey(stack: Stack) -> dict[str, int]:
    """How much CourseKey has."""
    state = get(stack, "/control/coursekey/state")
    parts = {part: [row for course in state["courses"] for row in course[part]] for part in ("staff", "sessions")}
    enrollments = [row for course in state["courses"] for row in course["enrollments"] if row["isActive"]]
    return {
        "users": len(state["users"]),
        "courses": len(state["courses"]),
        **{part: len(rows) for part, rows in parts.items()},
        "enrollments": len(enrollments),
    }


def active(stack: Stack, section: SectionKey) -> set[str]:
    """Campus Cafe IDs of who is enrolled in a section's course."""
    return {
        row["issuedID"]
        for course in get(stack, "/control/coursekey/state")["courses"]
        if course["name"].startswith(f"{section.course} - {section.section}: ")
        for row in course["enrollments"]
        if row["isActive"]
    }


def put_registration(stack: Stack, section: SectionKey, person: str, **more: str) -> None:
    """Register somebody in Campus Cafe, or change their standing."""
    named = {"semester": section.semester, "courseNumber": section.course, "section": section.section}
    put(stack, "registrations", **named, personId=person, **{"status": "registered", **more})


def put(stack: Stack, resource: str, **record: str) -> None:
    """Add a record to Campus Cafe, or change one."""
    body = {"resource": resource, "record": record}
    url = f"{stack.sandbox_url}/control/college/records"
    httpx.put(url, json=body, timeout=60, trust_env=False).raise_for_status()


# -- tables ----------------------------------------------------------------------------------------------------------


def queue_table(entries: Iterable[Entry]) -> Table:
    """How many entries of each kind are in which state."""
    counts = Counter((entry.entity.kind, entry.state) for entry in entries)
    states = [state for state in EntryState if any(key[1] is state for key in counts)]
    table = Table("entries", *(str(state) for state in states), title="The queue", title_justify="left")
    for kind in EntryKind:
        table.add_row(str(kind), *(str(counts[kind, state]) for state in states))
    return table


def failures_table(entries: Iterable[Entry]) -> Table:
    """Why entries failed."""
    counts = Counter(
        (entry.error_code or entry.rule, entry.reason) for entry in entries if entry.state is EntryState.FAILED
    )
    table = Table("entries", "cause", "what people read", title="What cannot be sent", title_justify="left")
    for (cause, reason), count in sorted(counts.items()):
        table.add_row(str(count), cause, reason)
    return table


def lines_table(lines: Iterable[Line], title: str) -> Table:
    """Lines of the queue history."""
    table = Table("about", "to be", "state", "what was done", title=title, title_justify="left")
    for one in sorted((line.outcome for line in lines), key=lambda outcome: outcome.entity):
        wanted = "there" if one.intent is Intent.UPSERT else "gone"
        table.add_row(str(one.entity), wanted, str(one.state), one.reason)
    return table
