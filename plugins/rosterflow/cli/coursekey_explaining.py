"""Why a section, or a person in it, is or is not in CourseKey: the rules asked again, beside what the queue says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from rosterflow.cli.opening import CannotAnswer, InstitutionOption, JsonOption, chosen_college, show_rows, the_store
from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.queue import Entity, EntryKind
from rosterflow.store import coursekey_maps, queue
from rosterflow.store.campus import StoredCampus
from rosterflow.sync.queueing import Judge, staff_of

COLUMNS = ("about", "person", "in_coursekey", "queue", "now", "rule", "reason")


def explain_section(
    section: Annotated[str, typer.Argument(help="Semester, course and section: 202610/MTH101/4.")],
    person: Annotated[str, typer.Option("--person", help="Campus Cafe ID of a student or a member of staff.")] = "",
    institution: InstitutionOption = "",
    as_json: JsonOption = False,
) -> None:
    """Say what CourseKey is told of a section, or of a person in it, and by which rule."""
    parts = section.split("/")
    if len(parts) != 3 or not all(parts):
        raise CannotAnswer(f"{section!r} is no section; write one like 202610/MTH101/4.")
    college = chosen_college(institution)
    with the_store() as store, store.begin() as connection:
        rows = list(_answers(connection, college, SectionKey(*parts), person))
    show_rows(f"{section} {person}".strip(), rows, COLUMNS, as_json=as_json)


def _answers(connection: Connection, college: College, key: SectionKey, person: str) -> Iterator[dict[str, Any]]:
    """For each entity whether CourseKey has it, how it stands in the queue, and what the rules say now."""
    campus = StoredCampus(connection, college.key)
    judge = Judge(college, campus, datetime.now(UTC))
    entities = list(_entities(key, person, campus, college))
    there = coursekey_maps.there(connection, college.key, [key])
    entries = queue.about(connection, college.key, college.coursekey.api_name, entities)
    for entity in entities:
        said = judge.request(entity, is_there=entity in there).verdict
        entry = entries.get(entity)
        yield {
            "about": str(entity.kind),
            "person": entity.person,
            "in_coursekey": "Y" if entity in there else "N",
            "queue": f"{entry.state} to {entry.intent}: {entry.reason}" if entry else "",
            "now": str(said.state),
            "rule": said.rule,
            "reason": said.reason,
            "opens_on": said.opens_on,
            "facts": dict(said.facts),
        }


def _entities(key: SectionKey, person: str, campus: StoredCampus, college: College) -> Iterator[Entity]:
    """The course and its sessions; of a person their place in it, which is a student's unless they are staff."""
    if not person:
        yield Entity(EntryKind.COURSE, *key)
        yield Entity(EntryKind.SESSIONS, *key)
        return
    is_staff = person in staff_of(key, campus, college)
    if is_staff:
        yield Entity(EntryKind.STAFF, *key, person)
    if not is_staff or campus.registration(key, person):
        yield Entity(EntryKind.ENROLLMENT, *key, person)
