"""How many people may lose something at once, who is asked, and the days on which nobody leaves (issue 3 §3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rosterflow.domain.institution import Freeze, Guards, Limit
from rosterflow.domain.model import Kind
from rosterflow.store.plans import ChangeState, StoredChange
from rosterflow.sync.approving import APPROVE, Answer
from rosterflow.sync.describing import describe
from sandbox.university.model import Undervisningsenhet
from sandbox.university.people import Person
from sandbox.university.vocabulary import ASSISTENT
from tests.harness import Done
from tests.scenarios.college import College
from tests.scenarios.persons import ASSISTANT, drops, faculty_of, follows, follows_in_canvas, newcomer, teaches
from tests.scenarios.test_people_places import today


@contextmanager
def guarded(folder: Path, **guards: Any) -> Iterator[College]:
    """A college with people, and from then on with these guards."""
    with faculty_of(folder) as one:
        one.harness.institution = one.harness.institution.model_copy(update={"guards": Guards(**guards)})
        yield one


def changes(one: College, done: Done, state: ChangeState) -> list[StoredChange]:
    return [each for each in one.harness.changes(done.plan_id, state) if each.change.kind is Kind.ENROLLMENT]


def followers(one: College, ue: Undervisningsenhet, count: int) -> list[Person]:
    people = [newcomer(one) for _ in range(count)]
    for person in people:
        follows(one, person, ue)
    return people


def test_as_many_as_the_floor_may_leave_and_one_more_is_asked_about_while_others_go_on(tmp_path: Path) -> None:
    with guarded(tmp_path, removals=Limit(percent=0, floor=5)) as one:
        ue, other = one.teaching(), one.teaching(1)
        rights = [follows(one, newcomer(one), ue) for _ in range(11)]
        one.harness.run(days_later=1)

        for right in rights[:5]:
            drops(one, right)
        five = one.harness.run(days_later=1)
        for right in rights[5:]:
            drops(one, right)
        comes = newcomer(one)
        follows(one, comes, other)
        six = one.harness.run(days_later=10)  # those of the week before count with the others

        assert sum(each.change.weight for each in changes(one, five, ChangeState.CONFIRMED)) == 5
        (held,) = changes(one, six, ChangeState.HELD)
        assert (held.change.weight, held.guard_rule) == (6, "removals-institution")
        assert follows_in_canvas(one, comes, other) == "active"


def test_the_last_who_have_a_role_are_asked_about_however_few(tmp_path: Path) -> None:
    with guarded(tmp_path, removals=Limit(percent=100, floor=0)) as one:
        teaching = [ue for emne in one.university.emner for ue in emne.undervisningsenheter]
        places: list[Any] = [*one.university.emner, *teaching, *(ua for ue in teaching for ua in ue.aktiviteter)]
        person, ue = newcomer(one), one.teaching()
        teaches(one, person, ue, role=ASSISTENT)
        one.harness.run(days_later=1)

        with one.changing_fs():
            for place in places:
                place.personroller[:] = [r for r in place.personroller if r.rolle.ims_rolle != "TEACHING_ASSISTANT"]
        done = one.harness.run(days_later=1)

        held = changes(one, done, ChangeState.HELD)
        assert {each.guard_rule for each in held} == {"whole-role"}
        assert follows_in_canvas(one, person, ue, ASSISTANT) == "active"


def test_the_question_names_the_courses_that_lose_most_and_many_take_two_people(tmp_path: Path) -> None:
    two = Limit(percent=100, floor=9)
    with guarded(tmp_path, removals=Limit(percent=0, floor=0), two_person=two) as one:
        most, least = one.teaching(), one.teaching(1)
        rights = [follows(one, newcomer(one), most) for _ in range(8)]
        rights += [follows(one, newcomer(one), least) for _ in range(2)]
        one.harness.run(days_later=1)
        for right in rights:
            drops(one, right)

        one.harness.run(days_later=1)
        (number,) = one.harness.waiting()
        told = describe(one.harness.store, one.harness.institution, number).body
        assert "Two people must approve" in told
        rows = [line for line in told.splitlines() if line.startswith("| UE")]
        escaped = [one.course_of(ue).sis_id.replace("_", r"\_") for ue in (most, least)]
        assert rows == [f"| {escaped[0]} | 8 |", f"| {escaped[1]} | 2 |"]

        answers = [Answer(APPROVE, "they were never here", user) for user in ("kari", "ola")]
        verdict = one.harness.approve(number, *answers)
        assert (verdict.approved, verdict.stale) == (10, 0)
        assert {follows_in_canvas(one, right.student.person, right.enhet) for right in rights} == {"deleted"}


def test_freezes_that_overlap_end_with_the_last_and_say_what_waits(tmp_path: Path) -> None:
    with guarded(tmp_path) as one:
        ue = one.teaching()
        stays, leaves = followers(one, ue, 2)
        one.harness.run(days_later=1)
        right = next(each for each in ue.studieretter if each.student.person is leaves)
        first = today(one) + timedelta(days=1)
        freezes = (
            Freeze(first=first, to=first + timedelta(days=1)),
            Freeze(first=first, to=first, kinds=(Kind.COURSE,), adds_only=False),
            Freeze(first=first + timedelta(days=1), to=first + timedelta(days=2), kinds=(Kind.ENROLLMENT,)),
            Freeze(first=date(2026, 1, 1), to=date(2026, 12, 31), terms=("2020_VÅR",)),
        )
        one.harness.institution = one.harness.institution.model_copy(update={"guards": Guards(freeze=freezes)})
        drops(one, right)

        seen, frozen = [], []
        for _ in range(4):
            done = one.harness.run(days_later=1)
            seen.append(follows_in_canvas(one, leaves, ue))
            frozen.append(sum(row.frozen for row in done.report.rows))

        assert seen == ["active", "active", "active", "deleted"]
        assert (frozen, one.harness.waiting()) == ([1, 1, 1, 0], [])
        assert follows_in_canvas(one, stays, ue) == "active"
