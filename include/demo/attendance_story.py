"""The attendance part of `make demo`: a week of classes, ten records adjusted, and a run that changes nothing.

It follows `demo.college_story`, which brought the college's courses, sessions and students into CourseKey.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from demo.airflow_api import wait_for
from demo.college_story import COLLEGE, ended, expect
from demo.stack import Stack
from demo.steps import step
from demo.story import RUN_SECONDS, get, opened, post
from rosterflow.domain.attendance.ledger import Effect
from rosterflow.store.runs import Run, find_run

ATTENDANCE = f"coursekey_attendance__{COLLEGE}"
ZONE = ZoneInfo("US/Eastern")
A_WEEK = timedelta(days=6)
ADJUSTMENTS = {"raise": 3, "lower": 3, "zero": 2, "delete": 2}


@step("A week of classes in CourseKey, and the nightly import writes the time attended to Campus Cafe")
def a_week_is_imported(stack: Stack) -> None:
    """Let the students attend, and switch the DAG on, which starts the run of last night at once."""
    first, last = the_week()
    made = post(stack, "/control/coursekey/attend", {"from": str(first), "to": str(last)})["records"]
    stack.say(f"in CourseKey: {made} records of time attended, {first} to {last}")
    client = stack.airflow.client
    client.unpause(ATTENDANCE)
    night = wait_for(
        lambda: next(iter(client.runs(ATTENDANCE)), None), "the nightly run", seconds=RUN_SECONDS, meanwhile=stack.check
    )
    done = imported(stack, night["dag_run_id"])
    expect(effects(done)[Effect.NEW] > made // 2, "most of the week was not imported")
    expect(written(done) > 0, "nothing was written to Campus Cafe")
    show_mail(stack)


@step("Ten records are adjusted in CourseKey: raised, lowered, zeroed, deleted; the next import follows, with a mail")
def ten_are_adjusted(stack: Stack) -> None:
    """Adjust, import the same days again, and look at what the ledger did."""
    for kind, count in ADJUSTMENTS.items():
        post(stack, "/control/coursekey/adjust", {"kind": kind, "count": count})
    stack.say(f"in CourseKey: {', '.join(f'{kind} {count}' for kind, count in ADJUSTMENTS.items())}")
    done = again(stack)
    expect(
        effects(done) == {Effect.RAISED: 3, Effect.LOWERED: 5, Effect.VOIDED: 2},
        f"the ledger did something else: {dict(effects(done))}",
    )
    show_mail(stack)


@step("A further identical import changes nothing and writes nothing")
def nothing_changes(stack: Stack) -> None:
    """Import the same days once more."""
    done = again(stack)
    expect(not effects(done), "the ledger changed although CourseKey had not")
    expect(not written(done), "Campus Cafe was written to although nothing had changed")
    mail = get(stack, "/mail.json")[0]
    stack.say(f"mail to {', '.join(mail['recipients'])}: {mail['subject']}")
    stack.say(f"as people read it, with a bar for each day (DEMO_KEEP=1): {stack.sandbox_url}/mail")


def the_week() -> tuple[date, date]:
    """Seven days that are over, and that the run of last night reads: it may be that of the night before yet."""
    last = datetime.now(ZONE).date() - timedelta(days=2)
    return last - A_WEEK, last


def again(stack: Stack) -> Run:
    """Import the week again, by the form."""
    first, last = the_week()
    return imported(stack, stack.airflow.client.trigger(ATTENDANCE, {"from_date": str(first), "to_date": str(last)}))


def imported(stack: Stack, run_id: str) -> Run:
    """A run of the import that went well, once it has ended; shows what it did."""
    ended(stack, run_id, ATTENDANCE)
    with opened(stack) as store, store.begin() as connection:
        run = find_run(connection, ATTENDANCE, run_id)
    expect(run is not None, f"the run {run_id} of {ATTENDANCE} left no record")
    assert run is not None  # expect() said so
    Console().print(import_table(run.counts["attendance"]))
    return run


def effects(run: Run) -> Counter[Effect]:
    """What a run did to the ledger."""
    schools = run.counts["attendance"].values()
    return sum((Counter({Effect(word): n for word, n in one["effects"].items()}) for one in schools), Counter())


def written(run: Run) -> int:
    """How many rows and last dates a run wrote to Campus Cafe."""
    told = run.counts["attendance_written"]
    return sum(int(told[name].get("written", 0)) for name in ("rows", "dates"))


def show_mail(stack: Stack) -> None:
    """Print the newest mail."""
    mail = get(stack, "/mail.json")[0]
    stack.say(f"mail to {', '.join(mail['recipients'])}: {mail['subject']}")
    Console().print(Padding(mail["plain"].strip(), (1, 4)), markup=False, highlight=False)


def import_table(schools: Mapping[str, Any]) -> Table:
    """What a run did, school by school."""
    table = Table("school", "records", "in the ledger", "unchanged", title="Time attended", title_justify="left")
    for school, told in schools.items():
        did = ", ".join(f"{number} {word}" for word, number in told["effects"].items()) or "-"
        table.add_row(school, str(told["records"]), did, str(told["unchanged"]))
    return table
