"""Which changes wait for a person, and with what reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from rosterflow.domain.confirmed import World
from rosterflow.domain.guards import Held, Verdict, guard, needs_second_person
from rosterflow.domain.institution import Guards, Limit, Removal
from rosterflow.domain.model import CanvasObject, Course, Section, State
from rosterflow.domain.plan import Action, Change, Plan
from tests.domain import builders as a


def courses(count: int, account: str = a.ROOT, when: str = a.NOW, first: int = 0) -> list[Course]:
    return [a.ue(f"E{number:03}", when=when, account=account) for number in range(first, first + count)]


def groups(count: int, course: Course, first: int = 0) -> list[Section]:
    return [a.ua_section(f"G{number:03}", course.sis_id) for number in range(first, first + count)]


def verdict(
    there: World, wanted: Iterable[CanvasObject], limits: Guards | None = None, removal: Removal | None = None
) -> Verdict:
    plan = a.plan(a.wants(*wanted), there, removal)
    return guard(plan, there, limits or Guards(), first_contact=False)


def held(verdict: Verdict) -> list[tuple[str, str]]:
    return [(one.change.key.sis_id, one.rule) for one in verdict.held]


def reasons(verdict: Verdict) -> set[tuple[str, str]]:
    return {(one.rule, one.reason) for one in verdict.held}


def test_the_first_plan_of_an_institution_is_held_as_a_whole() -> None:
    plan = a.plan(a.wants(a.unit("184_1"), a.unit("184_2")), a.world(a.unit("184_1", name="Old")))

    verdict = guard(plan, a.world(), a.NO_LIMITS, first_contact=True)

    reason = "The first plan of an institution is approved as a whole."
    assert verdict == Verdict((), tuple(Held(change, "first-contact", reason) for change in plan.changes))


def test_additions_and_re_openings_always_go_on_however_many() -> None:
    closed = [replace(course, state=State.COMPLETED) for course in courses(100)]

    result = verdict(a.world(*closed), [*courses(300)], a.limits(removals=(0, 0), updates=(0, 0)))

    assert (len(result.allowed), result.held) == (300, ())


def test_as_many_removals_as_the_floor_allows_go_on() -> None:
    there = courses(5)

    assert verdict(a.world(*there), []).held == ()


def test_one_more_removal_than_the_floor_allows_and_all_of_the_kind_are_held() -> None:
    there: list[CanvasObject] = [*courses(6), a.unit("184_1")]

    result = verdict(a.world(*there), [])

    assert reasons(result) == {("removals-institution", "6 of 6 courses in the institution; the limit is 5.")}
    assert len(result.held) == 6
    assert [change.key.sis_id for change in result.allowed] == ["184_1"]


def test_above_the_floor_the_percentage_counts() -> None:
    there = courses(80)

    assert verdict(a.world(*there), there[8:]).held == ()
    assert reasons(verdict(a.world(*there), there[9:])) == {
        ("removals-institution", "9 of 80 courses in the institution; the limit is 8.")
    }


def test_only_objects_in_use_make_up_the_hundred_percent() -> None:
    closed = [a.ue(f"OLD{number}", account=a.ROOT, state=State.COMPLETED) for number in range(1000)]

    result = verdict(a.world(*courses(10), *closed), courses(4))

    assert reasons(result) == {("removals-institution", "6 of 10 courses in the institution; the limit is 5.")}


def test_removals_are_counted_in_every_account_with_all_that_lies_below_it() -> None:
    faculty, institute, other = a.unit("184_12_0_0"), a.unit("184_12_1_0", "184_12_0_0"), a.unit("184_13_0_0")
    small, emne = courses(34, "184_12_0_0"), a.emne("INF1", parent="184_12_1_0")
    inside, elsewhere = courses(6, "EMNE_INF1_1", first=100), courses(60, "184_13_0_0", first=200)
    accounts = [faculty, institute, other, emne]
    there = a.world(*accounts, *small, *inside, *elsewhere)

    result = verdict(there, [*accounts, *small, *elsewhere[:-1]])

    assert reasons(result) == {("removals-account", "6 of 40 courses in 184_12_0_0; the limit is 5.")}
    assert held(result) == [(course.sis_id, "removals-account") for course in inside]
    assert [change.key.sis_id for change in result.allowed] == [elsewhere[-1].sis_id]


def test_removals_are_counted_in_every_term() -> None:
    now, then = courses(40), courses(100, when=a.NEXT, first=100)

    result = verdict(a.world(*now, *then), [*now[6:], *then[1:]])

    assert reasons(result) == {("removals-term", "6 of 40 courses in 2026_HØST; the limit is 5.")}
    assert len(result.allowed) == 1


def test_removals_are_counted_in_the_default_term_too() -> None:
    programmes = [a.programme_course(f"P{number}", account=a.ROOT) for number in range(6)]
    others = courses(94)

    result = verdict(a.world(*programmes, *others), others)

    assert reasons(result) == {("removals-term", "6 of 6 courses in the default term; the limit is 5.")}


def test_removals_of_sections_are_counted_in_every_course() -> None:
    one, other, far = courses(3)
    far = replace(far, term=a.NEXT, account="184_1")
    mine, theirs = groups(7, one), groups(100, other, first=100)
    there = a.world(one, other, far, *mine, *theirs)

    result = verdict(there, [one, other, far, *mine[6:], *theirs])

    assert reasons(result) == {("removals-course", f"6 of 7 sections in {one.sis_id}; the limit is 5.")}


def test_removals_of_sections_are_counted_in_the_accounts_and_terms_of_their_courses() -> None:
    small = [a.ue(f"E{number}", account="184_1") for number in range(3)]
    large = [a.ue(f"F{number}", account="184_2", when=a.NEXT) for number in range(3)]
    units = [a.unit("184_1"), a.unit("184_2")]
    lost = [group for number, course in enumerate(small) for group in groups(2, course, first=10 * number)]
    kept = [group for number, course in enumerate(large) for group in groups(90, course, first=100 * (number + 1))]
    there = a.world(*units, *small, *large, *lost, *kept)

    result = verdict(there, [*units, *small, *large, *kept])

    assert reasons(result) == {("removals-account", "6 of 6 sections in 184_1; the limit is 5.")}


def test_removals_of_accounts_are_counted_in_the_accounts_above_them() -> None:
    units = [a.unit("184_1"), *(a.unit(f"184_1_{number}", "184_1") for number in range(6))]
    others = [a.unit(f"184_2_{number}") for number in range(94)]

    result = verdict(a.world(*units, *others), [units[0], *others])

    assert reasons(result) == {("removals-account", "6 of 6 accounts in 184_1; the limit is 5.")}


def test_hiding_counts_as_a_removal() -> None:
    result = verdict(a.world(*courses(6)), [], removal=Removal(course="unpublish"))

    assert {one.change.action for one in result.held} == {Action.HIDE}
    assert len(result.held) == 6


def test_a_kind_is_held_for_its_own_removals_only() -> None:
    one = a.ue("INF1", account=a.ROOT)
    there = a.world(one, *courses(6), *groups(1, one))

    result = verdict(there, [one])

    assert {one.change.kind.value for one in result.held} == {"course"}
    assert [change.kind.value for change in result.allowed] == ["section"]


def test_a_limit_of_nothing_holds_every_removal() -> None:
    assert len(verdict(a.world(*courses(1)), [], a.limits(removals=(0, 0))).held) == 1


def renamed(things: list[Course]) -> list[Course]:
    return [replace(course, long_name="New name") for course in things]


def test_updates_of_up_to_half_of_a_kind_go_on() -> None:
    there = courses(60)

    assert verdict(a.world(*there), [*renamed(there[:30]), *there[30:]]).held == ()


def test_updates_of_more_than_half_of_a_kind_are_all_held_and_other_kinds_are_not() -> None:
    there, unit = courses(60), a.unit("184_1")

    result = verdict(a.world(*there, unit), [*renamed(there[:31]), *there[31:], replace(unit, name="New name")])

    assert reasons(result) == {("updates", "31 of 60 courses in the institution; the limit is 30.")}
    assert len(result.held) == 31
    assert [change.key.sis_id for change in result.allowed] == ["184_1"]


def test_as_many_updates_as_the_floor_allows_go_on_even_if_they_are_all_of_a_kind() -> None:
    there = courses(21)

    assert verdict(a.world(*there[:20]), renamed(there[:20])).held == ()
    assert len(verdict(a.world(*there), renamed(there)).held) == 21


def test_a_changed_id_is_always_held() -> None:
    old, new = a.ue("INF1", 1, account=a.ROOT), a.ue("INF1", 2, account=a.ROOT)

    result = verdict(a.world(old), [new], a.NO_LIMITS)

    assert result.allowed == ()
    assert reasons(result) == {("id-change", "The id changes from UE_INF1_1_2026_HØST to UE_INF1_2_2026_HØST.")}


def test_closing_an_account_whose_courses_are_deleted_is_always_held() -> None:
    there = a.world(a.unit("184_1"), a.ue("INF1", account="184_1", state=State.DELETED))

    result = verdict(there, [], a.NO_LIMITS)

    assert reasons(result) == {("account-had-courses", "1 course(s) lie or lay in 184_1.")}


def test_closing_an_account_whose_courses_move_away_with_the_same_plan_is_always_held() -> None:
    course = a.ue("INF1", account="184_1")
    there = a.world(a.unit("184_1"), a.unit("184_2"), course)

    result = verdict(there, [a.unit("184_2"), replace(course, account="184_2")], a.NO_LIMITS)

    assert [change.action for change in result.allowed] == [Action.UPDATE]
    assert held(result) == [("184_1", "account-had-courses")]


def test_closing_a_unit_is_held_when_courses_lay_in_an_account_below_it_that_moves_away() -> None:
    emne = a.emne("INF1", parent="184_1")
    there = a.world(a.unit("184_1"), a.unit("184_2"), emne, a.ue("INF1"))

    result = verdict(there, [a.unit("184_2"), replace(emne, parent="184_2"), a.ue("INF1")], a.NO_LIMITS)

    assert [change.key.sis_id for change in result.allowed] == [emne.sis_id]
    assert reasons(result) == {("account-had-courses", "1 course(s) lie or lay in 184_1.")}


def test_closing_an_account_that_never_had_courses_goes_on() -> None:
    assert verdict(a.world(a.unit("184_1")), []).held == ()


def test_an_account_is_held_with_the_one_in_it_that_had_courses() -> None:
    there = a.world(a.unit("184_1"), a.unit("184_2", "184_1"), a.ue("INF1", account="184_2", state=State.DELETED))

    result = verdict(there, [])

    assert held(result) == [("184_2", "account-had-courses"), ("184_1", "account-had-courses")]


def test_an_account_waits_for_the_held_move_of_what_lies_in_it() -> None:
    programmes = [a.programme(f"P{number}", "184_1") for number in range(3)]
    units = [a.unit("184_1"), a.unit("184_2")]
    wanted = [units[1], *(replace(programme, parent="184_2") for programme in programmes)]

    result = verdict(a.world(*units, *programmes), wanted, a.limits(updates=(0, 2)))

    assert held(result)[-1] == ("184_1", "waits-for")
    assert result.allowed == ()


def test_a_course_stays_open_while_the_move_of_its_section_is_held() -> None:
    old, new = a.ue("INF1", account=a.ROOT), a.ue("INF2", account=a.ROOT)
    section = a.ua_section("GROUP", old.sis_id)

    result = verdict(a.world(old, new, section), [new, replace(section, course=new.sis_id)], a.limits(updates=(0, 0)))

    assert held(result) == [("UA_GROUP", "updates"), (old.sis_id, "waits-for")]


def test_what_lies_in_an_object_with_a_held_new_id_waits_for_it() -> None:
    old, new = a.ue("INF1", 1, account=a.ROOT), a.ue("INF1", 2, account=a.ROOT)
    group, gone = a.ua_section("GROUP", old.sis_id), a.ua_section("GONE", old.sis_id)
    renamed_group = replace(group, name="New name", course=new.sis_id)
    added, unrelated = a.ua_section("ADDED", new.sis_id), a.unit("184_1")

    result = verdict(a.world(old, group, gone), [new, renamed_group, added, unrelated], a.NO_LIMITS)

    assert held(result) == [
        (old.sis_id, "id-change"),
        ("UA_ADDED", "waits-for"),
        ("UA_GROUP", "waits-for"),
        ("UA_GONE", "waits-for"),
    ]
    assert [change.key.sis_id for change in result.allowed] == ["184_1"]


def test_what_lies_in_a_course_that_cannot_be_made_yet_waits_too() -> None:
    old, new = [a.emne("INF1", v) for v in (1, 2)], [a.ue("INF1", v) for v in (1, 2)]
    later = a.ue("INF1", 2, a.NEXT)
    there = a.world(old[0], new[0])

    result = verdict(there, [old[1], new[1], later, a.ue_section("INF1", 2, a.NEXT)], a.NO_LIMITS)

    assert [rule for _, rule in held(result)] == ["id-change", "id-change", "waits-for", "waits-for"]


def test_a_section_is_not_deleted_while_the_re_opening_of_its_course_is_held() -> None:
    closed = a.ue("INF2", account="EMNE_INF1_1", state=State.COMPLETED)
    wanted = replace(closed, account="EMNE_INF1_2", state=State.ACTIVE)
    there = a.world(a.emne("INF1", 1), a.ue("INF1", 1), closed, a.ua_section("GONE", closed.sis_id))

    result = verdict(there, [a.emne("INF1", 2), a.ue("INF1", 2), wanted], a.NO_LIMITS)

    assert held(result)[-2:] == [(closed.sis_id, "waits-for"), ("UA_GONE", "waits-for")]


def past(count: int) -> list[Course]:
    return courses(count, when=a.PAST, first=500)


def test_courses_of_past_terms_make_no_limit_wider() -> None:
    there = a.world(*courses(40), *past(400))
    plan = a.plan(a.wants(*renamed(courses(40))), there)

    result = guard(plan, there, Guards(), first_contact=False, scope=a.wants().scope)

    assert reasons(result) == {("updates", "40 of 40 courses in the institution; the limit is 20.")}


def test_courses_of_past_terms_spare_nobody_the_second_person() -> None:
    there = courses(40)

    assert needs_second_person(removals_of(there[:11]), a.world(*there, *past(400)), Guards(), a.wants().scope) is True


def removals_of(things: list[Course]) -> list[Change]:
    return [Change(Action.CLOSE, one, replace(one, state=State.COMPLETED), "gone", "") for one in things]


@pytest.mark.parametrize(("removed", "of", "second"), [(10, 40, False), (11, 40, True), (1, 1, True), (0, 40, False)])
def test_above_a_quarter_of_a_kind_two_people_must_approve(removed: int, of: int, second: bool) -> None:
    there = courses(of)

    assert needs_second_person(removals_of(there[:removed]), a.world(*there), Guards()) is second


@pytest.mark.parametrize(("removed", "second"), [(3, False), (4, True)])
def test_above_a_number_of_removals_two_people_must_approve(removed: int, second: bool) -> None:
    there = courses(100)
    limits = Guards(two_person=Limit(percent=25, floor=3))

    assert needs_second_person(removals_of(there[:removed]), a.world(*there), limits) is second


def test_additions_and_updates_take_one_person_however_many() -> None:
    plan: Plan = a.plan(a.wants(*renamed(courses(600)), *courses(600, first=600)), a.world(*courses(600)))

    assert needs_second_person(plan.changes, a.world(*courses(600)), Guards()) is False
