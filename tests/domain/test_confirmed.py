"""The confirmed world, and what Canvas refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rosterflow.domain.confirmed import ConfirmedObject, Refusal, World, next_try, refused
from rosterflow.domain.model import CanvasObject, Course, Key, Kind, State, key_of
from rosterflow.domain.plan import Action, Change
from tests.domain import builders as a


def change(action: Action, before: CanvasObject | None, after: CanvasObject) -> Change:
    return Change(action, before, after, "rule", "reason")


def test_a_world_knows_what_lies_in_each_object_deleted_things_too() -> None:
    world = a.world(a.term(), a.unit("184_1"), a.emne("INF1", parent="184_1"), a.ue("INF1", state=State.DELETED))

    assert world.below(a.account_key("184_1")) == [Key(Kind.ACCOUNT, "EMNE_INF1_1")]
    assert world.below(a.account_key("EMNE_INF1_1")) == [Key(Kind.COURSE, "UE_INF1_1_2026_HØST")]
    assert world.below(Key(Kind.TERM, a.NOW)) == [Key(Kind.COURSE, "UE_INF1_1_2026_HØST")]
    assert list(world.below(Key(Kind.COURSE, "UE_INF1_1_2026_HØST"))) == []


def test_what_is_concluded_hidden_or_deleted_is_not_alive() -> None:
    used = a.ue("INF1")
    others = (
        a.ue("INF2", state=State.COMPLETED),
        a.ue("INF3", state=State.UNPUBLISHED),
        a.ue("INF4", state=State.DELETED),
    )

    assert a.world(used, *others).alive() == {key_of(used): used}


def test_a_created_object_is_in_the_world_afterwards_and_the_world_before_stays_as_it_was() -> None:
    before = a.world(a.unit("184_1"))

    after = before.after([change(Action.CREATE, None, a.unit("184_2"))])

    assert after == a.world(a.unit("184_1"), a.unit("184_2"))
    assert before == a.world(a.unit("184_1"))


def test_an_update_keeps_what_people_own() -> None:
    old, new = a.unit("184_1", name="Old"), a.unit("184_1", parent="184_2", name="Old")
    before = World([ConfirmedObject(old, frozenset({"name"}))])

    assert before.after([change(Action.UPDATE, old, new)]) == World([ConfirmedObject(new, frozenset({"name"}))])


def test_a_changed_id_carries_over_to_all_that_refers_to_it() -> None:
    account, course, section = a.emne("INF1"), a.ue("INF1"), a.ue_section("INF1")
    below = a.unit("184_9", parent="EMNE_INF1_1")
    world = a.world(account, course, section, below, a.ua_section("G", course.sis_id))
    new_account, new_course, new_section = (
        a.emne("INF1", 2),
        a.ue("INF1", 2, account=account.sis_id),
        a.ue_section("INF1", 2),
    )

    after = world.after(
        [
            change(Action.CHANGE_ID, section, a.ue_section("INF1", 2, course=course.sis_id)),
            change(Action.CHANGE_ID, course, new_course),
            change(Action.CHANGE_ID, account, new_account),
        ]
    )

    assert after == a.world(
        new_account,
        a.ue("INF1", 2),
        new_section,
        a.unit("184_9", parent="EMNE_INF1_2"),
        a.ua_section("G", "UE_INF1_2_2026_HØST"),
    )


def test_a_changed_id_leaves_another_kind_with_the_same_id_alone() -> None:
    course, section = a.ue("INF1"), a.ue_section("INF1")

    after = a.world(course, section).after([change(Action.CHANGE_ID, course, a.ue("INF1", 2, account=course.account))])

    assert key_of(section) in after
    assert after[key_of(section)].thing == a.ue_section("INF1", course="UE_INF1_2_2026_HØST")


def test_a_changed_term_id_carries_over_to_its_courses() -> None:
    old, new = a.term(a.NOW), a.term("2026_H")

    after = a.world(old, a.ue("INF1")).after([change(Action.CHANGE_ID, old, new)])

    assert after[Key(Kind.COURSE, "UE_INF1_1_2026_HØST")].thing == Course(
        "UE_INF1_1_2026_HØST", "INF1", "Course", "EMNE_INF1_1", "2026_H"
    )


@pytest.mark.parametrize(
    ("attempts", "hours"), [(1, 1), (2, 2), (3, 4), (4, 8), (7, 64), (8, 128), (9, 168), (10, 168), (10_000, 168)]
)
def test_the_wait_after_a_refusal_doubles_and_is_never_longer_than_a_week(attempts: int, hours: int) -> None:
    assert next_try(attempts, a.CLOCK) == a.CLOCK + timedelta(hours=hours)


def test_the_same_change_refused_again_waits_longer() -> None:
    one = change(Action.CREATE, None, a.unit("184_1"))

    first = refused(one, None, a.CLOCK)
    second = refused(one, first, a.CLOCK)

    assert first == Refusal(one.fingerprint, 1, a.CLOCK + timedelta(hours=1))
    assert second == Refusal(one.fingerprint, 2, a.CLOCK + timedelta(hours=2))


def test_another_change_of_the_same_object_starts_anew() -> None:
    earlier = Refusal(change(Action.CREATE, None, a.unit("184_1")).fingerprint, 6, a.CLOCK)
    other = change(Action.CREATE, None, a.unit("184_1", name="Mended"))

    assert refused(other, earlier, a.CLOCK) == Refusal(other.fingerprint, 1, a.CLOCK + timedelta(hours=1))
