"""Digests of changes: an approval names them, so nothing that is applied may escape them."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import structs

from rosterflow.domain.model import FIELDS, Account, CanvasObject, Course, Section, State, Term
from rosterflow.domain.plan import Action, Change, hash_of

NOW = datetime(2026, 9, 1, tzinfo=UTC)
THINGS: tuple[CanvasObject, ...] = (
    Account("184_12_0_0", "Det humanistiske fakultet", "FSDEMO"),
    Term("2026_HØST", "Høst 2026", NOW, NOW),
    Course("UE_1", "HIS1", "Historie", "184_12_0_0", "2026_HØST", NOW, NOW),
    Section("UE_1", "HIS1", "UE_1"),
)


def change(after: CanvasObject, before: CanvasObject | None = None, action: Action = Action.UPDATE) -> Change:
    return Change(action, before, after, "changed", "The source has another name.")


def other(value: object) -> list[Any]:
    """Values that a field may have instead."""
    if isinstance(value, State):
        return [State.COMPLETED, State.DELETED]
    return [NOW.replace(hour=1), None] if isinstance(value, datetime) else [f"{value} ", None]


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: str(thing.kind))
def test_every_compared_field_is_in_the_fingerprint(thing: CanvasObject) -> None:
    compared = [each.name for each in fields(thing) if each.compare]

    variants = [replace(thing, **{name: value}) for name in compared for value in other(getattr(thing, name))]
    seen = {change(thing).fingerprint, change(thing, thing).fingerprint}
    seen |= {change(variant).fingerprint for variant in variants}
    seen |= {change(thing, variant).fingerprint for variant in variants}

    assert compared == ["sis_id", *FIELDS[thing.kind], "state"]
    assert len(seen) == 2 + 2 * len(variants)


def test_what_is_done_is_in_the_fingerprint_and_why_is_not() -> None:
    thing = THINGS[0]

    actions = {change(thing, action=action).fingerprint for action in Action}
    reasons = {structs.replace(change(thing), rule=rule, reason=rule).fingerprint for rule in ("new", "changed")}

    assert (len(actions), len(reasons)) == (len(Action), 1)


def test_a_plan_has_one_hash_in_whatever_order() -> None:
    fingerprints = [change(thing).fingerprint for thing in THINGS]

    assert hash_of(fingerprints) == hash_of(reversed(fingerprints)) != hash_of(fingerprints[1:])
