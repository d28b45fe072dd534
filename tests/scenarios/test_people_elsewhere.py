"""The same rules at a university that is different: another day, a crowd of roles, emner without teaching (issue 3)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox.university.model import Emne, Periode
from sandbox.university.people import Fagperson, Personrolle
from sandbox.university.vocabulary import ADMIN, LARER
from tests.scenarios.people_day import people_in_canvas
from tests.scenarios.persons import OPEN, TEACHER, faculty_of, follows_in_canvas, newcomer, teaches, user_of
from tests.scenarios.test_people_roles import holds, rules_on


@pytest.mark.parametrize(
    ("zone", "moments"),
    [
        ("America/Los_Angeles", ("2026-09-11T06:59", "2026-09-11T07:01")),
        ("Pacific/Auckland", ("2026-09-10T11:59", "2026-09-10T12:01")),
        ("Europe/Oslo", ("2026-09-10T21:59", "2026-09-10T22:01")),
    ],
)
def test_a_role_ends_at_midnight_where_the_institution_is(zone: str, moments: tuple[str, str], tmp_path: Path) -> None:
    with faculty_of(tmp_path) as one:
        one.harness.institution = one.harness.institution.model_copy(update={"timezone": zone})
        person, ue = newcomer(one), one.teaching()
        teaches(one, person, ue, Periode(None, date(2026, 9, 10)))
        one.harness.run()

        seen = []
        for moment in moments:
            one.clock.moment = datetime.fromisoformat(moment).replace(tzinfo=UTC)
            one.harness.run()
            seen.append(follows_in_canvas(one, person, ue, TEACHER))

        assert seen == ["active", "inactive"]


def test_a_summer_time_that_ends_makes_no_day_longer(tmp_path: Path) -> None:
    with faculty_of(tmp_path) as one:
        person, ue = newcomer(one), one.teaching()
        teaches(one, person, ue, Periode(date(2026, 10, 25), date(2026, 10, 25)))  # of 25 hours in Oslo

        seen = []
        for moment in ("2026-10-24T21:59", "2026-10-24T22:01", "2026-10-25T22:59", "2026-10-25T23:01"):
            one.clock.moment = datetime.fromisoformat(moment).replace(tzinfo=UTC)
            one.harness.run()
            seen.append(follows_in_canvas(one, person, ue, TEACHER))

        assert seen == [None, "active", "active", "inactive"]


def test_one_person_with_four_hundred_roles_is_everywhere_once(tmp_path: Path) -> None:
    with faculty_of(tmp_path) as one:
        person = newcomer(one)
        unit = next(each for each in one.university.enheter if each.skal_eksporteres and each.er_aktiv)
        places: list[Any] = [one.teaching(0), one.teaching(1), one.teaching(0).emne, unit]
        with one.changing_fs():
            person.fagperson = Fagperson(person, person.feide_bruker)
            for place in places:
                first = 1 + max((role.nummer for role in place.personroller), default=0)
                role = ADMIN if place is unit else LARER
                place.personroller += [
                    Personrolle(place, first + number, role, OPEN, person.fagperson) for number in range(100)
                ]

        one.harness.run(days_later=1)

        rows = people_in_canvas(one)
        assert [row[1:] for row in rows.admins if row[1] == user_of(person)] == [(user_of(person), "active")]
        theirs = [row for row in rows.enrollments if row[1] == user_of(person)]
        assert len(theirs) == len(set(theirs))
        assert {one.course_of(ue).sis_id for ue in (one.teaching(0), one.teaching(1))} <= {row[0] for row in theirs}
        assert one.harness.run(days_later=1).changes == 0


def test_roles_on_an_emne_without_any_teaching_lead_nowhere_and_harm_nobody(tmp_path: Path) -> None:
    with faculty_of(tmp_path) as one:
        known, person = one.teaching().emne, newcomer(one)
        bare = Emne("TOM-1000", "1", known.navn, known.studieansvarlig)
        with one.changing_fs() as university:
            university.emner.append(bare)
        holds(one, person, bare, LARER)

        done = one.harness.run(days_later=1)

        assert rules_on(one, "TOM-1000 1") >= {"place-not-sent"}
        assert [row for row in people_in_canvas(one).enrollments if row[1] == user_of(person)] == []
        assert done.report.gaps == ()
