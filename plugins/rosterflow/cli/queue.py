"""The queue of a college: how much waits, what failed, what was said of whom; adding to it, and trying again.

Moments are shown in the college's zone.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from rosterflow.cli.opening import InstitutionOption, JsonOption, chosen_college, show_rows, the_store
from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.coursekey.queue import OPEN, Entry, EntryKind, EntryState
from rosterflow.store import queue_history, queue_looking
from rosterflow.store.queue_history import Line
from rosterflow.store.queue_looking import Selection
from rosterflow.sync.queueing import What, queue_by_hand, requeue_failed

queue_app = typer.Typer(help="What waits to be sent to CourseKey.", no_args_is_help=True)

ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept in the audit.")]
SemesterArgument = Annotated[str, typer.Argument(help="Semester code, like 202110.")]
CourseOption = Annotated[str, typer.Option("--course", help="Full course code, like MTH100.")]
SectionOption = Annotated[str, typer.Option("--section", help="Section number, like 14.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="So many at most.")]


@queue_app.command("count")
def count(institution: InstitutionOption = "", as_json: JsonOption = False) -> None:
    """How many entries are in each state; the unprocessed ones are PENDING."""
    college = chosen_college(institution)
    with the_store() as store, store.begin() as connection:
        found = queue_looking.counts(connection, college.key, college.coursekey.api_name)
    rows = [{"state": str(state), "entries": found[state]} for state in EntryState]
    show_rows("Queue", rows, ("state", "entries"), as_json=as_json)


@queue_app.command("add-enrollments")
def add_enrollments(
    semester: SemesterArgument,
    reason: ReasonOption,
    course: CourseOption = "",
    section: SectionOption = "",
    institution: InstitutionOption = "",
) -> None:
    """Queue all enrollments of a semester, a course or a section, whenever the students registered."""
    _add(What.ENROLLMENTS, semester, course, section, reason, institution)


@queue_app.command("add-courses")
def add_courses(
    semester: SemesterArgument,
    reason: ReasonOption,
    course: CourseOption = "",
    section: SectionOption = "",
    institution: InstitutionOption = "",
) -> None:
    """Queue all courses of a semester, those of a course or one section, with their staff and sessions."""
    _add(What.COURSES, semester, course, section, reason, institution)


def _add(what: What, semester: str, course: str, section: str, reason: str, institution: str) -> None:
    college = chosen_college(institution)
    with the_store() as store:
        queued = queue_by_hand(
            store, college, what, semester, course, section, by=_person(), reason=reason, now=datetime.now(UTC)
        )
    typer.echo(str(queued))
    if not queued.sections:
        raise typer.Exit(1)


@queue_app.command("failed")
def failed(institution: InstitutionOption = "", limit: LimitOption = 200, as_json: JsonOption = False) -> None:
    """The entries that wait for a person to mend something, the oldest failure first."""
    college = chosen_college(institution)
    with the_store() as store, store.begin() as connection:
        found = queue_looking.failed(connection, college.key, college.coursekey.api_name, limit)
    columns = ("id", "entity", "cause", "reason", "attempts", "since")
    show_rows("Failed", _entry_rows(found, college.zone), columns, as_json=as_json)


@queue_app.command("waiting")
def waiting(institution: InstitutionOption = "", limit: LimitOption = 200, as_json: JsonOption = False) -> None:
    """The entries that are still to be sent, with the moment from which on they are, the next one first."""
    college = chosen_college(institution)
    states = [state for state in EntryState if state in OPEN]
    with the_store() as store, store.begin() as connection:
        found = queue_looking.entries(connection, college.key, college.coursekey.api_name, states, Selection(), limit)
    columns = ("id", "entity", "intent", "state", "due", "reason", "attempts")
    show_rows("Waiting", _entry_rows(found, college.zone), columns, as_json=as_json)


@queue_app.command("requeue")
def requeue(
    reason: ReasonOption,
    ids: Annotated[list[int] | None, typer.Option("--id", help="Number of an entry; may be given again.")] = None,
    cause: Annotated[str, typer.Option("--cause", help="Error code, like email-missing.")] = "",
    rule: Annotated[str, typer.Option("--rule", help="Rule that decided last.")] = "",
    kind: Annotated[EntryKind | None, typer.Option("--kind", help="Kind of entry.")] = None,
    semester: Annotated[str, typer.Option("--semester", help="Semester code.")] = "",
    course: CourseOption = "",
    section: SectionOption = "",
    person: Annotated[str, typer.Option("--person", help="Campus Cafe ID.")] = "",
    institution: InstitutionOption = "",
) -> None:
    """Have failed entries tried again: all of them, or those that fit every condition."""
    college = chosen_college(institution)
    which = Selection(tuple(ids or ()), kind, rule, cause, semester, course, section, person)
    with the_store() as store:
        again = requeue_failed(store, college, which, by=_person(), reason=reason, now=datetime.now(UTC))
    typer.echo(f"{again} entries are tried again.")


@queue_app.command("history")
def history(
    section: Annotated[str, typer.Option("--section", help="Semester, course and section: 202110/MTH101/4.")] = "",
    person: Annotated[str, typer.Option("--person", help="Campus Cafe ID.")] = "",
    institution: InstitutionOption = "",
    limit: LimitOption = 200,
    as_json: JsonOption = False,
) -> None:
    """What became of entries, newest first: of a section, of a person, or of all."""
    college = chosen_college(institution)
    with the_store() as store, store.begin() as connection:
        if section:
            lines = queue_history.of_section(connection, college.key, section_key(section), limit)
        elif person:
            lines = queue_history.of_person(connection, college.key, person, limit)
        else:
            lines = queue_history.latest(connection, college.key, limit)
    columns = ("at", "entity", "intent", "state", "rule", "reason", "attempt", "by")
    show_rows("History", _line_rows(lines, college.zone), columns, as_json=as_json)


def section_key(text: str) -> SectionKey:
    """A section as a person writes it."""
    parts = text.split("/")
    if len(parts) != len(SectionKey._fields) or not all(parts):
        raise typer.BadParameter("write semester, course and section like 202110/MTH101/4", param_hint="--section")
    return SectionKey(*parts)


def _entry_rows(entries: Iterable[Entry], zone: ZoneInfo) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id,
            "entity": str(one.entity),
            "intent": str(one.intent),
            "state": str(one.state),
            "due": one.due_at.astimezone(zone),
            "cause": one.error_code or one.rule,
            "reason": one.reason,
            "attempts": one.attempts,
            "since": (one.changed_at or one.created_at).astimezone(zone),
        }
        for one in entries
    ]


def _line_rows(lines: Iterable[Line], zone: ZoneInfo) -> list[dict[str, Any]]:
    return [
        {
            "at": line.at.astimezone(zone),
            "entity": str(line.outcome.entity),
            "intent": str(line.outcome.intent),
            "state": str(line.outcome.state),
            "rule": line.outcome.rule,
            "reason": line.outcome.reason,
            "error_code": line.outcome.error_code,
            "attempt": line.outcome.attempt,
            "by": line.outcome.by,
        }
        for line in lines
    ]


def _person() -> str:
    return f"{getpass.getuser()} (command line)"
