"""Dates that shut people out are removals, whatever they are called."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from rosterflow.domain.guards import guard, needs_second_person
from rosterflow.domain.model import CanvasObject, State
from rosterflow.domain.plan import Action, Change, Plan
from tests.domain import builders as a

NOW = a.CLOCK
DAY = timedelta(days=1)
NO_REMOVALS = a.limits(removals=(0, 0))


def update(before: CanvasObject, after: CanvasObject) -> Change:
    return Change(Action.UPDATE, before, after, "changed", "The source has other dates.")


def held(change: Change, *there: CanvasObject) -> list[str]:
    plan = Plan((change,), unchanged=a.plan(a.wants(), a.world()).unchanged)
    verdict = guard(plan, a.world(*there), NO_REMOVALS, first_contact=False, now=NOW)
    return [one.rule for one in verdict.held]


@pytest.mark.parametrize(
    ("before", "after", "is_held"),
    [
        ((None, None), (None, NOW - DAY), True),
        ((None, NOW + DAY), (None, NOW), True),
        ((NOW - DAY, None), (NOW + DAY, None), True),
        ((None, NOW + 9 * DAY), (None, NOW + DAY), False),
        ((None, NOW - DAY), (None, NOW - 9 * DAY), False),
        ((NOW + DAY, None), (NOW + 9 * DAY, None), False),
        ((NOW + DAY, NOW + 9 * DAY), (NOW - 9 * DAY, NOW - DAY), False),
    ],
)
def test_a_course_that_is_open_and_would_not_be_counts_as_removed(
    before: tuple[datetime | None, datetime | None], after: tuple[datetime | None, datetime | None], is_held: bool
) -> None:
    course = replace(a.ue("INF1", account=a.ROOT), start=before[0], end=before[1])
    change = update(course, replace(course, start=after[0], end=after[1]))

    assert held(change, course) == (["removals-institution"] if is_held else [])
    assert needs_second_person([change], a.world(course), NO_REMOVALS, now=NOW) is is_held


def test_a_term_without_courses_in_use_may_end() -> None:
    term = a.term(a.NOW)
    ended = update(term, replace(term, start=None, end=NOW - DAY))
    closed = a.ue("INF1", account=a.ROOT, state=State.COMPLETED)

    assert held(ended, term, closed) == ["removals-institution"]
    assert held(ended, term, replace(closed, state=State.ACTIVE)) == ["term-shut"]
