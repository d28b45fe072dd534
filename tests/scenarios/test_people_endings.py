"""What becomes of people when the period or the term of what they are in is over (issue 3 §3.2: the ladder)."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rosterflow.domain.institution import Guards, TermWindow
from sandbox.university.model import Periode
from sandbox.university.people import Deltaker, EvuKursdeltakelse
from tests.scenarios.college import College
from tests.scenarios.people_day import people_in_canvas
from tests.scenarios.persons import (
    TEACHER,
    faculty_of,
    follows,
    follows_in_canvas,
    newcomer,
    standing,
    teaches,
    user_of,
)
from tests.scenarios.test_people_places import today

DONE = {"term_ended": "completed"}


def usual(one: College, **settings: Any) -> None:
    """From now on the guards are the usual ones, and ``settings`` are the institution's."""
    one.harness.institution = one.harness.institution.model_copy(update={"guards": Guards(), **settings})


def test_participants_are_done_with_a_course_the_day_after_its_period_and_nobody_is_asked(tmp_path: Path) -> None:
    with faculty_of(tmp_path, students_leave=DONE, staff_leave=DONE) as one:
        usual(one)
        course = one.university.evukurs[0]
        with one.changing_fs():
            course.periode = Periode(date(2026, 8, 20), date(2026, 9, 4))
        for _ in range(8):
            person = newcomer(one)
            with one.changing_fs():
                person.deltaker = Deltaker(person, person.lopenummer)
                course.deltakelser.append(EvuKursdeltakelse(course, person.deltaker))
        one.harness.run(days_later=1)
        (place,) = {row[0] for row in people_in_canvas(one).enrollments if row[1] == user_of(person)}

        seen = []
        for _ in range(3):
            one.harness.run(days_later=1)
            seen.append(standing(one, person, place))

        assert seen == ["active", "active", "completed"]
        assert one.harness.waiting() == []
        assert one.harness.run(days_later=1).changes == 0
        with one.changing_fs():
            course.periode = Periode(date(2026, 8, 20), date(2026, 10, 1))
        one.harness.run(days_later=1)
        one.harness.run(days_later=1)
        assert standing(one, person, place) == "active"


def test_a_term_that_is_over_completes_its_people_where_the_runs_still_cover_it(tmp_path: Path) -> None:
    with faculty_of(tmp_path, students_leave=DONE, staff_leave=DONE) as one:
        person, teacher, ue = newcomer(one), newcomer(one), one.teaching()
        follows(one, person, ue)
        teaches(one, teacher, ue)
        usual(one, terms=TermWindow(back=1))
        one.harness.run(days_later=1)
        assert follows_in_canvas(one, person, ue) == "active"

        (end,) = [term.end_at for term in one.sandbox.world.canvas.terms if term.sis_id == "2026_HØST"]
        assert end
        found = []
        for _ in range(2):
            one.harness.run(days_later=(end.date() - today(one)).days or 1)
            found.append((follows_in_canvas(one, person, ue), follows_in_canvas(one, teacher, ue, TEACHER)))

        assert found == [("active", "active"), ("completed", "completed")]
        assert today(one) == end.astimezone(one.harness.institution.zone).date() + timedelta(days=1)
        assert (one.harness.run(days_later=1).changes, one.harness.waiting()) == (0, [])


def test_by_default_dates_alone_end_a_course_so_that_a_teacher_may_move_them(tmp_path: Path) -> None:
    with faculty_of(tmp_path) as one:
        course = one.university.evukurs[0]
        person = newcomer(one)
        with one.changing_fs():
            course.periode = Periode(date(2026, 8, 20), date(2026, 9, 3))
            person.deltaker = Deltaker(person, person.lopenummer)
            course.deltakelser.append(EvuKursdeltakelse(course, person.deltaker))
        one.harness.run(days_later=1)
        (place,) = {row[0] for row in people_in_canvas(one).enrollments if row[1] == user_of(person)}

        changes = [one.harness.run(days_later=1).changes for _ in range(3)]

        assert (changes, standing(one, person, place)) == ([0, 0, 0], "active")
