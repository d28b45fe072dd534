"""Time attended: the ledger of a student in a section line by line, and the ledger once more from the evidence."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from rosterflow.cli.opening import InstitutionOption, JsonOption, chosen_college, show_json, show_rows, the_store
from rosterflow.cli.queue import ReasonOption, section_key
from rosterflow.domain.attendance.ledger import Fact
from rosterflow.settings import environment
from rosterflow.store import attendance, attendance_rows, seats
from rosterflow.store.attendance import Audited
from rosterflow.store.attendance_rows import SentTime
from rosterflow.sync.attendance_recomputing import Difference, recompute
from rosterflow.sync.attendance_retrying import retry_refused
from rosterflow.sync.pages import PageStore

attendance_app = typer.Typer(help="Time attended, from CourseKey to Campus Cafe.", no_args_is_help=True)

FACTS = ("on", "session", "kind", "state", "seconds", "before", "record", "window", "seen_at")
CHANGES = ("read_at", "run", "effect", "on", "session", "from", "to", "record", "raw", "page")
SENT = ("on", "hours", "minutes", "seconds", "state", "cause", "again_on", "run", "confirmed_at")


@attendance_app.command("show")
def show(
    student: Annotated[str, typer.Option("--student", help="Campus Cafe ID.")],
    section: Annotated[str, typer.Option("--section", help="Semester, course and section: 202110/MTH101/4.")],
    institution: InstitutionOption = "",
    as_json: JsonOption = False,
) -> None:
    """The ledger of a student in a section: every fact with what it was before, every change, every row sent."""
    college, key = chosen_college(institution), section_key(section)
    with the_store() as store, store.begin() as connection:
        courses = [course for course, name in seats.sections_of_courses(connection, college.key).items() if name == key]
        facts = attendance.facts_of_person(connection, college.key, student, courses) if courses else []
        changes = attendance.audit_of(connection, college.key, student, courses) if courses else []
        sent = attendance_rows.times_of_person(connection, college.key, student)
    rows = sorted((one for one in sent.values() if one.key.section == key), key=lambda one: one.key.on)
    told = {
        "ledger": [_fact_row(fact) for _, fact in facts],
        "changes": [_change_row(one) for one in changes],
        "campus_cafe": [_sent_row(one) for one in rows],
    }
    if as_json:
        show_json(told)
        return
    show_rows("Ledger", told["ledger"], FACTS, as_json=False)
    show_rows("Changes", told["changes"], CHANGES, as_json=False)
    show_rows("Campus Cafe", told["campus_cafe"], SENT, as_json=False)


@attendance_app.command("recompute")
def recompute_ledger(
    institution: InstitutionOption = "",
    check: Annotated[bool, typer.Option("--check", help="Only compare; change nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Build the ledger again from the kept pages of the export, and compare; exit code 1 when something differs."""
    college, here = chosen_college(institution), environment()
    blobs = PageStore(here.storage_url, here.page_keys)
    with the_store() as store:
        found = recompute(store, college, lambda page: blobs.get_bytes(page.name), only_check=check)
    columns = ("school", "course", "session", "student", "stored", "evident")
    show_rows("Differences", [_difference_row(one) for one in found], columns, as_json=as_json)
    if found:
        raise typer.Exit(1)


@attendance_app.command("retry")
def retry(
    reason: ReasonOption,
    student: Annotated[str, typer.Option("--student", help="Campus Cafe ID; without it, everybody's.")] = "",
    section: Annotated[str, typer.Option("--section", help="Semester, course and section: 202110/MTH101/4.")] = "",
    institution: InstitutionOption = "",
) -> None:
    """Have the next import send again what Campus Cafe refused, without waiting: all of it, or what fits."""
    college, key = chosen_college(institution), section_key(section) if section else None
    by = f"{getpass.getuser()} (command line)"
    with the_store() as store:
        again = retry_refused(store, college, student, key, by=by, reason=reason, now=datetime.now(UTC))
    typer.echo(f"{again} rows are sent again by the next import.")


def _fact_row(fact: Fact) -> dict[str, Any]:
    past = [f"{one.seconds} s ({one.state}, until {one.until:%Y-%m-%d %H:%M}, run {one.run})" for one in fact.versions]
    return {
        "on": str(fact.on),
        "session": fact.key.session,
        "kind": fact.key.kind,
        "state": str(fact.state),
        "seconds": fact.seconds,
        "before": "; ".join(past),
        "record": fact.record_id,
        "window": str(fact.window),
        "seen_at": fact.seen_at.isoformat(),
    }


def _change_row(one: Audited) -> dict[str, Any]:
    noted = one.noted
    return {
        "read_at": one.read_at.isoformat(),
        "run": one.run,
        "effect": str(noted.effect),
        "on": str(noted.on),
        "session": one.name.session,
        "from": noted.seconds_before,
        "to": noted.seconds,
        "record": noted.record_id,
        "raw": one.raw,
        "page": noted.page,
    }


def _sent_row(one: SentTime) -> dict[str, Any]:
    outcome = one.outcome
    return {
        "on": str(one.key.on),
        "hours": one.time.hours,
        "minutes": str(one.time.minutes),
        "seconds": one.seconds,
        "state": str(outcome.state),
        "cause": " ".join(part for part in (outcome.code, outcome.message) if part),
        "again_on": str(outcome.again_on or ""),
        "run": outcome.run,
        "confirmed_at": outcome.confirmed_at.isoformat() if outcome.confirmed_at else "",
    }


def _difference_row(one: Difference) -> dict[str, Any]:
    stored, evident = (f"{side[1]} s on {side[0]}" if side else "nothing" for side in (one.stored, one.evident))
    return {
        "school": one.school,
        "course": one.key.course_id,
        "session": one.key.session,
        "student": one.person,
        "stored": stored,
        "evident": evident,
    }
