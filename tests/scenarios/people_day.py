"""A day on which somebody comes, moves, leaves, is reserved, has another login and teaches no more; and its undoing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.university.model import Navn, Periode, Undervisningsaktivitet
from sandbox.university.people import EmneStudierett, Person, Personrolle, Student
from sandbox.university.studies import displace, place
from tests.scenarios.college import College, college

PEOPLE: dict[str, Any] = {
    "people": {
        "sync": True,
        "census_days": 200,
        "account_roles": {"ADMIN": "AccountAdmin", "STUDIEKONS": "AccountAdmin"},
    },
    "guards": {"removals": {"percent": 100, "floor": 1000}, "updates": {"percent": 100, "floor": 1000}},
}
"""Nobody is asked: the day is played many times in a row."""

YESTERDAY = Periode(date(2026, 8, 1), date(2026, 8, 31))


class People(NamedTuple):
    """Everybody in Canvas, row by row, so that a row that is there twice is seen."""

    logins: list[tuple[str, ...]]
    enrollments: list[tuple[str, ...]]
    admins: list[tuple[str, ...]]

    @property
    def active(self) -> set[tuple[str, ...]]:
        """Who has what."""
        return {row[:-1] for row in chain(*self) if row[-1] == "active"}


def people_in_canvas(one: College) -> People:
    """What the sandbox's Canvas holds of people with a SIS id."""
    canvas = one.sandbox.world.canvas
    with canvas.lock:
        ids = {login.user_id: login.sis_id for login in canvas.pseudonyms if login.sis_id}
        logins = [
            (str(login.sis_id), login.unique_id, canvas.users[login.user_id].name, str(login.workflow_state))
            for login in canvas.pseudonyms
            if login.sis_id
        ]
        enrollments = [
            (
                str(canvas.sections[row.section_id].sis_id or canvas.courses[row.course_id].sis_id),
                str(ids[row.user_id]),
                canvas.roles[row.role_id].name,
                str(row.workflow_state),
            )
            for row in canvas.enrollments
            if row.user_id in ids
        ]
        admins = [
            (str(canvas.accounts[row.account_id].sis_id), str(ids[row.user_id]), str(row.workflow_state))
            for row in canvas.admins
            if row.user_id in ids
        ]
    return People(sorted(logins), sorted(enrollments), sorted(admins))


@dataclass
class PeopleDay:
    """A college, and to whom what happens on its day.

    :param folder: where its store and pages lie.
    :param found: what Canvas has of people after the day, and after it was taken back, when nothing goes wrong.
    """

    college: College
    folder: Path
    drops: EmneStudierett
    moves: EmneStudierett
    groups: tuple[Undervisningsaktivitet, Undervisningsaktivitet]
    comes: EmneStudierett
    ends: Personrolle
    reserved: Person
    renamed: Person
    found: dict[bool, People] = field(default_factory=dict)

    @property
    def lasting(self) -> set[tuple[str, ...]]:
        """What nobody loses, neither by the day nor by its undoing."""
        return self.found[True].active & self.found[False].active

    def play(self, *, on: bool) -> People:
        """The day, or its undoing, and a sync that nobody disturbs."""
        self.change(on=on)
        self.college.harness.run(days_later=1)
        return people_in_canvas(self.college)

    def change(self, *, on: bool) -> None:
        """The day, or the day on which all is as it was."""
        with self.college.changing_fs():
            for right, is_there in ((self.drops, not on), (self.comes, on)):
                right.enhet.studieretter[:] = [r for r in right.enhet.studieretter if r is not right]
                right.enhet.studieretter += [right] * is_there
            for placement in self.moves.plasseringer:
                displace(self.moves, placement)
            place(self.moves, self.groups[on])
            self.ends.periode = YESTERDAY if on else Periode(None, None)
            self.reserved.kan_overfores = not on
            login = f"{'ny' if on else 'gammel'}@rosterflow.example"
            self.renamed.feide_bruker = login
            for identity in (self.renamed.student, self.renamed.fagperson):
                if identity:
                    identity.feide_bruker = login


@contextmanager
def people_day(folder: Path, **settings: Any) -> Iterator[PeopleDay]:
    """A college after its first contact, and after the day was played and taken back once."""
    with college(folder, **PEOPLE, **settings) as one:
        group = _group(one)
        beside = Undervisningsaktivitet(group.enhet, "SEM-9", Navn("Seminargruppe 9"), group.form, group.parent)
        group.enhet.aktiviteter.append(beside)
        one.harness.first_contact()
        day = _day(one, folder, group, beside)
        for on in (False, True, False):
            day.found[on] = day.play(on=on)
        yield day


def _group(one: College) -> Undervisningsaktivitet:
    """An activity with a section of its own in which students are."""
    return next(
        activity
        for emne in one.university.emner
        for ue in emne.undervisningsenheter
        for activity in ue.aktiviteter
        if ue.semester == one.university.semester
        and ue.skal_eksporteres
        and ue.folger is None
        and activity.skal_eksporteres
        and activity.lms_romkode is None
        and activity.plasseringer
    )


def _day(one: College, folder: Path, group: Undervisningsaktivitet, beside: Undervisningsaktivitet) -> PeopleDay:
    placed = group.plasseringer[0]
    moves = next(right for right in group.enhet.studieretter if right.student is placed.student)
    ue = max(map(one.teaching, range(3)), key=lambda each: len(each.studieretter))
    drops, reserved, renamed = [
        right for right in ue.studieretter if right.student is not placed.student and not right.plasseringer
    ][:3]
    newcomer = Person(990_001, "Nyhild", "Nykklia", "nyhild@rosterflow.example", "nyhild@rosterflow.example")
    newcomer.student = Student(newcomer, newcomer.feide_bruker)
    one.university.personer.append(newcomer)
    role = next(role for role in ue.personroller if role.rolle.ims_rolle == "INSTRUCTOR")
    comes = EmneStudierett(newcomer.student, ue)
    people = reserved.student.person, renamed.student.person
    return PeopleDay(one, folder, drops, moves, (group, beside), comes, role, *people)
