"""What `make demo` does once everything is up; see `demo.steps` for how to add to it.

An institution meets Canvas for the first time, with its study structure and its people; a person approves it, an
unchanged day does nothing, and a day of change does what it should and holds what a person must see.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import httpx
from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Table

from demo.airflow_api import Json, wait_for
from demo.errors import DemoError
from demo.stack import Stack
from demo.steps import step
from rosterflow.domain.rosters import Roster
from rosterflow.store.engine import Store
from rosterflow.store.plans import changes
from rosterflow.store.runs import find_run
from rosterflow.sync.describing import PEOPLE_VERBS
from rosterflow.sync.reporting import Report, as_table, report

INSTITUTION = "demo"
SYNC = f"fs_canvas_sync__{INSTITUTION}"
APPROVAL = f"canvas_approval__{INSTITUTION}"
RUN_SECONDS = 600.0
COMMENT = "Read through in the demo."
COLLEGE_WEEKS = 6
"""So long ago the fall of the sandbox's college began: its courses are under way."""
PERSON = re.compile(r"\b\d{6}\b")
"""A personlopenummer of the sandbox."""


@step("Airflow has read the DAG folder")
def the_dags_are_listed(stack: Stack) -> None:
    """Wait until every DAG file is parsed, and show what is in the list."""
    client = stack.airflow.client
    files = {path.name for path in (stack.repository / "dags").glob("*.py")}

    def parsed() -> list[Json] | None:
        for error in client.import_errors():
            raise DemoError(f"{error['filename']} cannot be imported: {error['stack_trace'].strip().splitlines()[-1]}")
        dags = client.dags()
        return dags if files <= {dag["relative_fileloc"] for dag in dags} else None

    table = Table("DAG", "schedule", "paused")
    for dag in wait_for(parsed, "the DAG list", seconds=RUN_SECONDS, meanwhile=stack.check):
        table.add_row(dag["dag_id"], dag["timetable_summary"] or "-", "yes" if dag["is_paused"] else "no")
    Console().print(table)


@step("Connections, the writer's pool and the store are made, and the Test buttons pressed")
def airflow_is_set_up(stack: Stack) -> None:
    """Do what an operator does once, in the UI and on the command line."""
    client = stack.airflow.client
    url = stack.sandbox_url
    fs: dict[str, Any] = {"host": f"{url}/fs/graphql", "login": "sandbox", "password": "sandbox"}
    client.create_connection("fs_demo", "fs_graphql", **fs, extra={"institution_number": "184"})
    client.create_connection("canvas_demo", "canvas", host=f"{url}/canvas", password="sandbox-canvas-token")
    client.create_connection(
        "smtp_default",
        "smtp",
        host="127.0.0.1",
        port=stack.smtp_port,
        extra={"disable_ssl": True, "disable_tls": True, "from_email": "rosterflow@example.org", "retry_limit": 2},
    )
    client.create_pool("canvas_sandbox", 1, description="One writer at a time for the sandbox's root account")
    command = [sys.executable, "-m", "rosterflow", "store", "upgrade"]
    subprocess.run(command, env=stack.airflow.environment, check=True, stdout=subprocess.DEVNULL)
    for connection in ("fs_demo", "canvas_demo"):
        tested = client.test_connection(connection)
        if not tested["status"]:
            raise DemoError(f"{connection}: {tested['message']}")
        stack.say(f"{connection}: {tested['message']}")


@step("First contact: a sync reads FS and Canvas, plans everything and holds it as a whole")
def first_contact(stack: Stack) -> None:
    """Make a university and a college of today; switching the DAG on has the scheduler start the first run."""
    post(stack, "/control/reset", university_of_today() | college_of_today())
    client = stack.airflow.client
    for dag_id in (APPROVAL, SYNC):
        client.unpause(dag_id)
    first = wait_for(
        lambda: next(iter(client.runs(SYNC)), None), "the scheduled run", seconds=RUN_SECONDS, meanwhile=stack.check
    )
    finished(stack, first["dag_run_id"])


@step("A person reads the plan and approves it, with a comment")
def approval(stack: Stack) -> None:
    """Answer the question in the UI's stead, and wait until Canvas has everything."""
    question = asked(stack)
    stack.say(f"asked: {question['subject']}")
    approve(stack, question)


@step("An unchanged day: the second sync finds nothing to do and sends nothing")
def unchanged(stack: Stack) -> None:
    """Sync again, and see that no SIS import was posted."""
    before = imports(stack)
    done = sync(stack)
    if any(row.changes for row in done.rows) or imports(stack) != before:
        raise DemoError("the second sync changed something although nothing had changed")
    stack.say(f"zero changes; Canvas got no new SIS import ({before} in all)")


@step("A day of change is played on FS, and the third sync brings it over")
def day_of_change(stack: Stack) -> None:
    """Play the day and sync; see what became of the people of whom the day tells."""
    told = post(stack, "/control/day-of-change")["changes"]
    for change in told:
        stack.say(f"in FS: {change}")
    done = sync(stack)
    Console().print(people_table(stack, done, told))


@step("What the third sync held is approved: a unit closes, and two people swap logins")
def held(stack: Stack) -> None:
    """Answer what is asked, and look at the mails."""
    question = asked(stack)
    stack.say("held for a person's approval, in Airflow under Required Actions and by mail:")
    Console().print(Padding(Markdown(question["body"]), (1, 4)))
    approve(stack, question)
    for mail in reversed(get(stack, "/mail.json")):
        stack.say(f"mail to {', '.join(mail['recipients'])}: {mail['subject']}")
    stack.say("to look at all of it in Airflow and in the sandbox: DEMO_KEEP=1 make demo")


def asked(stack: Stack) -> Json:
    """What a person is asked, once somebody is."""
    return stack.airflow.client.wait_for_approval(APPROVAL, seconds=RUN_SECONDS, meanwhile=stack.check)


def approve(stack: Stack, question: Json) -> None:
    """Say yes with a comment, wait until it is done, and show what was."""
    client = stack.airflow.client
    client.answer_approval(question, "Approve", {"comment": COMMENT}, seconds=RUN_SECONDS, meanwhile=stack.check)
    run_id = question["task_instance"]["dag_run_id"]
    show(stack, client.wait_for_run(APPROVAL, run_id, seconds=RUN_SECONDS, meanwhile=stack.check))


def people_table(stack: Stack, done: Report, told: list[str]) -> Table:
    """What a run did about the persons of whom a day told, by personlopenummer."""
    numbers = {number for line in told if line.startswith(("Person", "The role")) for number in PERSON.findall(line)}
    table = Table("person", "in Canvas", title="What became of them", title_justify="left")
    table.add_column("where", overflow="fold")
    for name in ("because", "state"):
        table.add_column(name)
    with opened(stack) as store, store.begin() as connection:
        planned = changes(connection, done.plan_id) if done.plan_id is not None else []
    rows = [
        (number, PEOPLE_VERBS[one.change.action], place.sis_id if place else "user", one.change.reason, one.state)
        for one in planned
        if isinstance(one.change.after, Roster)
        for place in [one.change.after.place]
        for number in numbers.intersection(user.rpartition("_")[2] for user in one.change.after.members)
    ]
    for row in sorted(rows):
        table.add_row(*row)
    return table


def university_of_today() -> dict[str, Any]:
    """What the sandbox's university is made from, so that today's term is the one in force there."""
    today = date.today()  # noqa: DTZ011 - the machine's own day
    return {"year": today.year, "term": "VAR" if today.month <= 7 else "HOST"}


def college_of_today() -> dict[str, Any]:
    """What the sandbox's college is made from, so that its fall is under way."""
    begins = date.today() - timedelta(weeks=COLLEGE_WEEKS)  # noqa: DTZ011 - the machine's own day
    return {"college_begins": begins.isoformat()}


def sync(stack: Stack) -> Report:
    """Start a sync that applies, wait for its end and show what it did."""
    return finished(stack, stack.airflow.client.trigger(SYNC, {"mode": "apply"}))


def finished(stack: Stack, run_id: str) -> Report:
    """Wait for a sync's end and show what it did."""
    client = stack.airflow.client
    return show(stack, client.wait_for_run(SYNC, run_id, seconds=RUN_SECONDS, meanwhile=stack.check))


def show(stack: Stack, ended: Json) -> Report:
    """Print the table of a run that has ended. Raises `DemoError` when it failed."""
    dag_id, run_id = ended["dag_id"], ended["dag_run_id"]
    if ended["state"] != "success":
        failed = [t["task_id"] for t in stack.airflow.client.task_instances(dag_id, run_id) if t["state"] == "failed"]
        raise DemoError(f"the run {run_id} of {dag_id} failed in {', '.join(failed)}")
    with opened(stack) as store:
        with store.begin() as connection:
            run = find_run(connection, dag_id, run_id)
        if run is None:
            raise DemoError(f"the run {run_id} of {dag_id} left no record")
        made = report(store, run.id)
    Console().print(as_table(made, f"What {dag_id} did in its run {run.id}"))
    return made


@contextmanager
def opened(stack: Stack) -> Iterator[Store]:
    """The store, with the keys to what is sealed in it."""
    store = Store(stack.postgres.url("rosterflow"), stack.airflow.environment["ROSTERFLOW_PAGE_KEYS"].split(","))
    try:
        yield store
    finally:
        store.dispose()


def imports(stack: Stack) -> int:
    """How many SIS imports the sandbox's Canvas has had."""
    return len(get(stack, "/control/state")["imports"])


def get(stack: Stack, path: str) -> Any:
    """JSON of the sandbox."""
    return httpx.get(f"{stack.sandbox_url}{path}", timeout=60, trust_env=False).raise_for_status().json()


def post(stack: Stack, path: str, body: dict[str, Any] | None = None) -> Any:
    """Have the sandbox do something; gives its answer."""
    url = f"{stack.sandbox_url}{path}"
    return httpx.post(url, json=body or {}, timeout=60, trust_env=False).raise_for_status().json()
