"""How many people may leave at once, and what waits for the end of a freeze."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

import pytest

from rosterflow.domain.confirmed import World
from rosterflow.domain.guards import Verdict, guard, needs_second_person, stale
from rosterflow.domain.institution import Freeze, Guards, Limit
from rosterflow.domain.leaving import Leaving
from rosterflow.domain.model import Kind, Section, State
from rosterflow.domain.people_settings import Ladder
from rosterflow.domain.plan import Action
from rosterflow.domain.rosters import Member, Reason, Roster
from rosterflow.domain.snapshot import Snapshot
from tests.domain import builders as a
from tests.domain import roster_builders as p

UNIT, EMNE, COURSE, SECTION = a.unit("184_1"), a.emne("INF1", parent="184_1"), a.ue("INF1"), a.ue_section("INF1")
OTHER, OTHER_COURSE, OTHER_SECTION = a.emne("HIS1"), a.ue("HIS1"), a.ue_section("HIS1")
ONE = a.ua_section("1", COURSE.sis_id)
TREE = (UNIT, EMNE, OTHER, COURSE, OTHER_COURSE, SECTION, OTHER_SECTION, ONE)
TODAY = date(2026, 9, 1)


def people(count: int, first: int = 0) -> list[str]:
    return [f"u{number:03}" for number in range(first, first + count)]


def there(students: Mapping[Section, int], **more: Iterable[str]) -> World:
    rosters = [p.roster(section, people(count)) for section, count in students.items()]
    return p.world(*TREE, rosters=[*rosters, *(p.roster(SECTION, some, role) for role, some in more.items())])


def left(world: World, *rosters: Roster, limits: Guards | None = None) -> Verdict:
    made = p.plan(p.wants(*TREE, rosters=rosters), world)
    return guard(made, world, limits or Guards(), first_contact=False)


def held(verdict: Verdict) -> list[tuple[str, str, str]]:
    return [(one.change.after.sis_id.partition(" as ")[0], one.rule, one.reason) for one in verdict.held]


def test_as_many_people_as_the_floor_allows_may_leave_a_small_course() -> None:
    world = there({SECTION: 12, OTHER_SECTION: 100})

    verdict = left(world, p.roster(SECTION, people(7)), p.roster(OTHER_SECTION, people(100)))

    assert (len(verdict.allowed), verdict.held) == (1, ())


def test_one_more_and_those_of_that_course_alone_wait() -> None:
    world = there({SECTION: 12, OTHER_SECTION: 100})

    verdict = left(world, p.roster(SECTION, people(6)), p.roster(OTHER_SECTION, people(95)))

    assert held(verdict) == [
        (f"section {SECTION.sis_id}", "removals-account", "6 of 12 enrollments in 184_1; the limit is 5.")
    ]
    assert [change.weight for change in verdict.allowed] == [5]


def test_shares_are_taken_of_headcounts_where_the_people_themselves_are_not_at_hand() -> None:
    world = there({SECTION: 12, OTHER_SECTION: 100})
    counted = [(replace(one, members={}), headcount) for one, headcount in world.headcounts()]
    made = p.plan(p.wants(*TREE, rosters=[p.roster(SECTION, people(6)), p.roster(OTHER_SECTION, people(95))]), world)

    verdict = guard(made, World(world.values(), census=lambda: counted), Guards(), first_contact=False)

    assert verdict == guard(made, world, Guards(), first_contact=False)
    assert [one.rule for one in verdict.held] == ["removals-account"]


def test_additions_go_on_however_many() -> None:
    verdict = left(
        there({SECTION: 1}), p.roster(SECTION, people(900)), limits=a.limits(removals=(0, 0), updates=(0, 0))
    )

    assert ([change.weight for change in verdict.allowed], verdict.held) == ([899], ())


def test_the_last_of_a_role_are_held_whatever_the_percentage() -> None:
    world = there({SECTION: 400}, TeacherEnrollment=people(6, first=900))

    verdict = left(world, p.roster(SECTION, people(400)), limits=a.limits(removals=(100, 5)))

    assert held(verdict) == [
        (f"section {SECTION.sis_id}", "whole-role", "6 of 6 enrollments in the role TeacherEnrollment; the limit is 6.")
    ]


def test_all_people_of_a_unit_are_held_whatever_the_percentage() -> None:
    world = there({SECTION: 6, OTHER_SECTION: 400})

    verdict = left(world, p.roster(OTHER_SECTION, people(400)), limits=a.limits(removals=(100, 5)))

    assert [rule for _, rule, _ in held(verdict)] == ["whole-unit"]


def test_too_many_of_one_role_in_a_course_are_held_though_the_course_is_large() -> None:
    world = there({SECTION: 400, OTHER_SECTION: 10}, TeacherEnrollment=people(40, first=900))
    other = p.roster(OTHER_SECTION, people(90, first=500), p.TEACHER)
    world.rosters = {**world.rosters, other.whole: other}

    verdict = left(
        world,
        p.roster(SECTION, people(400)),
        p.roster(OTHER_SECTION, people(10)),
        p.roster(SECTION, people(33, first=900), p.TEACHER),
        other,
    )

    assert [(rule, reason) for _, rule, reason in held(verdict)] == [
        (
            "removals-course-role",
            f"7 of 40 enrollments in the role TeacherEnrollment in {COURSE.sis_id}; the limit is 5.",
        )
    ]


def test_who_goes_to_another_section_of_the_course_is_not_counted() -> None:
    world = there({SECTION: 20})

    verdict = left(world, p.roster(SECTION, []), p.roster(ONE, people(20)))

    assert ([change.rule for change in verdict.allowed], verdict.held) == (["new", "moved"], ())


def test_who_is_done_with_what_dates_have_shut_is_not_counted_unless_more_is_taken_than_the_dates_took() -> None:
    world = there({SECTION: 20})
    over = p.wanted(p.roster(SECTION, []), leaving=dict.fromkeys(people(20), Reason.TERM_ENDED))

    done, deleted = (
        guard(
            p.plan(p.wants(*TREE, rosters=[over]), world, Leaving(students=ladder)),
            world,
            Guards(),
            first_contact=False,
        )
        for ladder in (Ladder(term_ended="completed"), Ladder(term_ended="deleted"))
    )

    assert ([change.rule for change in done.allowed], done.held) == (["term-ended"], ())
    assert [one.rule for one in deleted.held] == ["removals-institution"]


def test_nobody_leaves_a_section_while_their_coming_to_the_other_one_is_held() -> None:
    new = a.ua_section("9", COURSE.sis_id)
    world = there({SECTION: 20})
    made = p.plan(p.wants(*TREE, new, rosters=[p.roster(SECTION, []), p.roster(new, people(20))]), world)
    freeze = Freeze(first=TODAY, to=TODAY, kinds=(Kind.SECTION,), adds_only=False)

    verdict = guard(made, world, Guards(freeze=(freeze,)), first_contact=False, today=TODAY)

    assert verdict.allowed == ()
    assert [(one.change.kind, one.rule) for one in verdict.frozen] == [
        (Kind.SECTION, "freeze"),
        (Kind.ENROLLMENT, "freeze"),
        (Kind.ENROLLMENT, "freeze"),
    ]


def test_users_who_swap_logins_wait_for_a_person_and_who_gets_a_login_that_is_given_up_does_not() -> None:
    world = p.world(*TREE, users=p.users(u1="kari", u2="ola", u3="per"))
    snapshot = p.wants(*TREE, users=p.users(u1="ola", u2="kari", u3="pia", u4="per"))

    verdict = guard(p.plan(snapshot, world), world, Guards(), first_contact=False)

    assert sorted((one.rule, *members(one.change.after)) for one in verdict.held) == [
        ("login-swap", "u1"),
        ("login-swap", "u2"),
    ]
    assert sorted(user for change in verdict.allowed for user in members(change.after)) == ["u3", "u4"]


def test_nobody_is_enrolled_who_is_not_made_a_user_because_of_a_freeze() -> None:
    snapshot = p.wants(*TREE, users=p.users(u1="kari"), rosters=[p.roster(SECTION, ["u1"])])
    limits = Guards(freeze=(Freeze(first=TODAY, to=TODAY, kinds=(Kind.USER,), adds_only=False),))
    world = p.world(*TREE)

    verdict = guard(p.plan(snapshot, world), world, limits, first_contact=False, today=TODAY)

    assert (verdict.allowed, verdict.held) == ((), ())
    assert [one.change.kind for one in verdict.frozen] == [Kind.USER, Kind.ENROLLMENT]


def members(thing: object) -> Mapping[str, Member]:
    assert isinstance(thing, Roster)
    return thing.members


def wants_other_names(count: int) -> Snapshot:
    return p.wants(*TREE, users={user: p.user(user, "Nytt Navn") for user in people(count)})


def test_updates_are_counted_by_people() -> None:
    world = p.world(*TREE, users={user: p.user(user) for user in people(100)})
    plan = p.plan(wants_other_names(100), world)

    verdict = guard(plan, world, Guards(), first_contact=False)

    assert {(one.rule, one.reason) for one in verdict.held} == {
        ("updates", "100 of 100 users in the institution; the limit is 50.")
    }


def test_two_people_approve_when_many_leave() -> None:
    world = there({SECTION: 100})
    plan = p.plan(p.wants(*TREE, rosters=[p.roster(SECTION, people(74))]), world)

    assert needs_second_person(plan.changes, world, Guards())
    assert not needs_second_person(plan.changes, world, Guards(two_person=Limit(percent=30, floor=500)))


FROZEN = Freeze(first=date(2026, 8, 31), to=date(2026, 9, 1))


@pytest.mark.parametrize(
    ("freeze", "frozen"),
    [
        (FROZEN, ["gone"]),
        (FROZEN.model_copy(update={"adds_only": False}), ["new", "gone"]),
        (FROZEN.model_copy(update={"to": date(2026, 8, 31)}), []),
        (FROZEN.model_copy(update={"first": date(2026, 9, 2), "to": date(2026, 9, 3)}), []),
        (FROZEN.model_copy(update={"kinds": (Kind.COURSE,)}), []),
        (FROZEN.model_copy(update={"terms": (a.NOW,)}), ["gone"]),
        (FROZEN.model_copy(update={"terms": (a.NEXT,)}), []),
    ],
)
def test_a_freeze_holds_back_what_it_says_on_its_days_and_asks_nobody(freeze: Freeze, frozen: list[str]) -> None:
    world = there({SECTION: 3})
    plan = p.plan(p.wants(*TREE, rosters=[p.roster(SECTION, ["u000", "u001", "new"])]), world)

    verdict = guard(plan, world, Guards(freeze=(freeze,)), first_contact=False, today=TODAY)

    assert [one.change.rule for one in verdict.frozen] == frozen
    assert (len(verdict.allowed), verdict.held) == (2 - len(frozen), ())


def test_a_change_of_people_is_stale_when_one_of_them_is_not_as_shown_any_more() -> None:
    world = there({SECTION: 3, OTHER_SECTION: 3})
    changes = p.plan(
        p.wants(*TREE, rosters=[p.roster(SECTION, ["u000", "new"]), p.roster(OTHER_SECTION, people(2))]), world
    ).changes

    assert stale(changes, world) == ()
    later = p.plan(
        p.wants(*TREE, rosters=[p.roster(SECTION, ["u000", "u001"]), p.roster(OTHER_SECTION, people(3))]), world
    )
    assert [c.after.sis_id.rpartition(" ")[2] for c in stale(changes, world.after(later.changes))] == ["gone"]


def test_a_change_of_people_is_stale_when_their_section_is_gone() -> None:
    world = there({ONE: 3, SECTION: 3})
    changes = p.plan(
        p.wants(*TREE, rosters=[p.roster(ONE, [*people(3), "new"]), p.roster(SECTION, people(3))]), world
    ).changes
    gone = p.plan(p.wants(*TREE[:-1], rosters=[p.roster(SECTION, people(3))]), world).changes

    assert stale(changes, world.after(gone)) == changes


def test_who_leaves_a_course_that_is_opened_again_by_the_same_plan_is_as_shown() -> None:
    hidden = replace(COURSE, state=State.UNPUBLISHED)
    there = p.world(UNIT, EMNE, hidden, rosters=[p.roster(COURSE, ["u1"])])

    changes = p.plan(p.wants(UNIT, EMNE, COURSE, rosters=[p.roster(COURSE, ["u2"])]), there).changes

    assert [change.action for change in changes] == [Action.REOPEN, Action.CREATE, Action.HIDE]
    assert stale(changes, there) == ()
