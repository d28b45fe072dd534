"""Whether an approved change may still be sent: is everything as it was shown?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from rosterflow.domain.guards import stale, still_true
from rosterflow.domain.model import CanvasObject, State
from rosterflow.domain.plan import Action, Change
from tests.domain import builders as a


def change(action: Action, before: CanvasObject | None, after: CanvasObject) -> Change:
    return Change(action, before, after, "rule", "reason")


def closing(thing: CanvasObject) -> Change:
    return change(Action.CLOSE, thing, replace(thing, state=State.COMPLETED))


def deletion(thing: CanvasObject) -> Change:
    return change(Action.DELETE, thing, replace(thing, state=State.DELETED))


UNIT, COURSE = a.unit("184_1"), a.ue("INF1", account=a.ROOT)
GROUP = a.ua_section("GROUP", COURSE.sis_id)


def test_a_change_is_still_true_while_its_object_is_as_it_was_shown() -> None:
    assert still_true(closing(COURSE), a.world(COURSE))


def test_a_change_of_anything_else_does_not_matter() -> None:
    assert still_true(closing(COURSE), a.world(COURSE, a.ue("INF2", name="New name")))


@pytest.mark.parametrize(
    "now", [replace(COURSE, long_name="New name"), replace(COURSE, state=State.COMPLETED), a.ue("INF2")]
)
def test_a_change_is_stale_when_its_object_was_changed_closed_or_forgotten(now: CanvasObject) -> None:
    assert not still_true(closing(COURSE), a.world(now))


def test_a_creation_is_stale_when_the_object_is_there_meanwhile() -> None:
    assert still_true(change(Action.CREATE, None, UNIT), a.world())
    assert not still_true(change(Action.CREATE, None, UNIT), a.world(UNIT))


def test_an_id_change_is_stale_when_the_new_id_is_taken_meanwhile() -> None:
    new = replace(COURSE, sis_id="UE_INF1_2_2026_HØST")

    assert still_true(change(Action.CHANGE_ID, COURSE, new), a.world(COURSE))
    assert not still_true(change(Action.CHANGE_ID, COURSE, new), a.world(COURSE, new))


def test_the_closing_of_an_account_is_stale_when_something_lies_in_it_meanwhile() -> None:
    deleted = a.ue("INF2", account="184_1", state=State.DELETED)

    assert still_true(deletion(UNIT), a.world(UNIT, deleted))
    assert not still_true(deletion(UNIT), a.world(UNIT, replace(deleted, state=State.COMPLETED)))
    assert not still_true(deletion(UNIT), a.world(UNIT, a.unit("184_2", "184_1")))


def test_the_deletion_of_a_section_is_stale_when_its_course_was_closed_meanwhile() -> None:
    assert still_true(deletion(GROUP), a.world(COURSE, GROUP))
    assert not still_true(deletion(GROUP), a.world(replace(COURSE, state=State.COMPLETED), GROUP))


def test_the_deletion_of_a_section_in_a_course_that_is_not_ours_is_still_true() -> None:
    assert still_true(deletion(GROUP), a.world(GROUP))


def test_accounts_deleted_together_do_not_stand_in_each_others_way() -> None:
    inner = a.unit("184_2", "184_1")

    assert stale((deletion(inner), deletion(UNIT)), a.world(UNIT, inner)) == ()


def test_an_account_is_stale_when_the_deletion_of_one_in_it_is() -> None:
    inner = a.unit("184_2", "184_1")
    changes = (deletion(inner), deletion(UNIT))

    assert stale(changes, a.world(UNIT, replace(inner, name="New name"))) == changes


def test_a_course_is_stale_when_the_account_it_waits_for_is() -> None:
    course = a.ue("INF1", account="184_1")
    changes = (change(Action.CREATE, None, UNIT), change(Action.CREATE, None, course))
    other = change(Action.CREATE, None, a.unit("184_2"))

    assert stale((*changes, other), a.world(replace(UNIT, name="New name"))) == changes
