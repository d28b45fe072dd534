"""Single persons of a college: who comes to FS with what, and what Canvas and our books then say of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import select

from rosterflow.store.tables import decision
from rosterflow.sync.approving import Answer
from sandbox.university.model import Periode, Undervisningsenhet
from sandbox.university.people import (
    EmneStudierett,
    Fagperson,
    Person,
    Personrolle,
    Rolle,
    Semesterregistrering,
    Student,
    give_role,
)
from sandbox.university.vocabulary import LARER
from tests.scenarios.college import College, college
from tests.scenarios.people_day import PEOPLE

STUDENT, TEACHER, ASSISTANT = "StudentEnrollment", "TeacherEnrollment", "TaEnrollment"
OPEN = Periode(None, None)
_numbers = count(970_001)


@contextmanager
def faculty_of(folder: Path, **people: Any) -> Iterator[College]:
    """A college whose Canvas has the people whom FS has; ``people`` are settings about them."""
    with college(folder, guards=PEOPLE["guards"], people=PEOPLE["people"] | people) as one:
        one.harness.first_contact()
        yield one


# -- in FS ------------------------------------------------------------------------------------------------------------


def newcomer(one: College, login: str | None = "own") -> Person:
    """Somebody whom FS did not have, a student registered for the term.

    :param login: the feideBruker, ``None`` for nobody's; by default one of their own.
    """
    number = next(_numbers)
    feide = f"ny{number}@rosterflow.example" if login == "own" else login
    person = Person(number, f"Nyhild{number}", f"Nykklia{number}", feide, f"post{number}@rosterflow.example")
    person.student = Student(person, feide, (Semesterregistrering(one.university.semester),))
    with one.changing_fs():
        one.university.personer.append(person)
    return person


def log_in_as(one: College, person: Person, login: str | None) -> None:
    with one.changing_fs():
        for identity in (person, person.student, person.fagperson):
            if identity:
                identity.feide_bruker = login


def follows(one: College, person: Person, ue: Undervisningsenhet) -> EmneStudierett:
    """Give somebody the right to follow teaching."""
    assert person.student
    right = EmneStudierett(person.student, ue)
    with one.changing_fs():
        ue.studieretter.append(right)
    return right


def drops(one: College, right: EmneStudierett) -> None:
    with one.changing_fs():
        right.enhet.studieretter.remove(right)


def teaches(
    one: College, person: Person, ue: Undervisningsenhet, periode: Periode = OPEN, role: Rolle = LARER
) -> Personrolle:
    """Give somebody, who becomes fagperson, a role in teaching."""
    with one.changing_fs():
        person.fagperson = person.fagperson or Fagperson(person, person.feide_bruker)
        return give_role(ue, role, periode, person.fagperson)


# -- in Canvas and in our books ---------------------------------------------------------------------------------------


def user_of(person: Person) -> str:
    return f"FS_184_{person.lopenummer}"


def login_of(one: College, person: Person) -> tuple[str, str] | None:
    """The login and its state."""
    login = one.sandbox.world.canvas.pseudonyms.by_sis_id(user_of(person))
    return (login.unique_id, str(login.workflow_state)) if login else None


def standing(one: College, person: Person, place: str, role: str = STUDENT) -> str | None:
    """The state of the enrollment in a section or course, by its SIS id; ``None`` when there is none."""
    canvas = one.sandbox.world.canvas
    login = canvas.pseudonyms.by_sis_id(user_of(person))
    for row in canvas.enrollments.where("user_id", login.user_id) if login else ():
        ids = canvas.sections[row.section_id].sis_id or canvas.courses[row.course_id].sis_id
        if ids == place and canvas.roles[row.role_id].name == role:
            return str(row.workflow_state)
    return None


def follows_in_canvas(one: College, person: Person, ue: Undervisningsenhet, role: str = STUDENT) -> str | None:
    return standing(one, person, one.course_of(ue).sis_id, role)


def rows_of(one: College) -> list[tuple[int, int, int, int, str]]:
    """Every enrollment of Canvas as it is stored, whoever's it is."""
    canvas = one.sandbox.world.canvas
    return [(row.id, row.user_id, row.section_id, row.role_id, str(row.workflow_state)) for row in canvas.enrollments]


def standing_under(one: College, sis_id: str) -> str | None:
    """The state of the login that has an id in Canvas; ``None`` when nobody has it."""
    login = one.sandbox.world.canvas.pseudonyms.by_sis_id(sis_id)
    return str(login.workflow_state) if login else None


def decided(one: College, person: Person) -> set[str]:
    """The rules by which something was decided about somebody."""
    with one.harness.store.begin() as connection:
        query = select(decision.c.rule).where(decision.c.subject == str(person.lopenummer))
        return {row.rule for row in connection.execute(query)}


def refused(one: College, person: Person) -> list[str]:
    """What is told of Canvas's refusals of somebody, as long as they last."""
    return [message for subject, message in one.open_errors() if subject.endswith(user_of(person))]


def reject(one: College) -> None:
    """Somebody says no to all that waits."""
    one.harness.approve(None, Answer("Reject", "two people", "kari"))
