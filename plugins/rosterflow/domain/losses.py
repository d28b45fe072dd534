"""What an undo cannot bring back, each with its rule, the facts, and what a person can do about it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from rosterflow.domain.model import Key, Kind


class Why(StrEnum):
    """Why something is not, or not quite, as it was before the plan that is undone."""

    NOT_CONFIRMED = "not-confirmed"
    AS_BEFORE = "as-before"
    CHANGED_SINCE = "changed-since"
    CHANGED_BY_HAND = "changed-by-hand"
    KEPT_BY_CANVAS = "kept-by-canvas"
    ID_CHANGED = "id-changed"
    TERM_KEPT = "term-kept"
    PLACE_GONE = "place-gone"
    OTHERS_INSIDE = "others-inside"
    WORK_INSIDE = "work-inside"
    OTHERS_FOLLOW = "others-follow"
    STAYS_ENDED = "stays-ended"
    GRADED = "graded"
    WAS_BY_HAND = "was-by-hand"
    USER_GONE = "user-gone"
    USER_STAYS = "user-stays"
    USER_SUSPENDED = "user-suspended"
    LOGIN_TAKEN = "login-taken"


MEANINGS: dict[Why, str] = {
    Why.NOT_CONFIRMED: "Canvas never confirmed it, so there is nothing to undo.",
    Why.AS_BEFORE: "It is as it was before the plan already.",
    Why.CHANGED_SINCE: "A later plan changed it.",
    Why.CHANGED_BY_HAND: "People changed it in Canvas since.",
    Why.KEPT_BY_CANVAS: "People made it their own in Canvas, which ignores what we send there.",
    Why.ID_CHANGED: "An id that was changed stays changed.",
    Why.TERM_KEPT: "The plan put it into a term, and no import takes a course out of one.",
    Why.PLACE_GONE: "What it lay in is not in use any more.",
    Why.OTHERS_INSIDE: "The plan made it, but it holds what the plan did not make, so it stays.",
    Why.WORK_INSIDE: "The plan made it. What was put into it since, content, submissions and grades, goes with it.",
    Why.OTHERS_FOLLOW: "It is concluded again, and others who are active in it are concluded with it.",
    Why.STAYS_ENDED: "Others were concluded or removed with it, and Canvas does not bring them back.",
    Why.GRADED: "Canvas unpublishes no course with graded work.",
    Why.WAS_BY_HAND: "They were there by hand before the plan, and stay.",
    Why.USER_GONE: "Canvas has no user with this id any more: deleted, or merged with another one.",
    Why.USER_STAYS: "The plan made these users, but they are in use elsewhere, so they stay.",
    Why.USER_SUSPENDED: "The plan made these users, or took over logins that were there. They are suspended.",
    Why.LOGIN_TAKEN: "Another user has the old login by now.",
}

REMEDIES: dict[Why, str] = {
    Why.NOT_CONFIRMED: "Nothing.",
    Why.AS_BEFORE: "Nothing.",
    Why.CHANGED_SINCE: "Undo the later plan first, then this one.",
    Why.CHANGED_BY_HAND: "Ask who changed it; put it right in Canvas.",
    Why.KEPT_BY_CANVAS: "Put it right in Canvas.",
    Why.ID_CHANGED: "If the old id is wanted again, let the source say so; a person approves a changed id.",
    Why.TERM_KEPT: "Set the course's term in Canvas.",
    Why.PLACE_GONE: "Undo first what closed or removed the place, then this plan.",
    Why.OTHERS_INSIDE: "Remove from it in Canvas what may go, then undo the plan once more.",
    Why.WORK_INSIDE: "Look into it before approving; what is to stay must be copied elsewhere.",
    Why.OTHERS_FOLLOW: "Bring them back in Canvas by hand, should they go on.",
    Why.STAYS_ENDED: "Bring them back in Canvas by hand.",
    Why.GRADED: "When Canvas refuses, conclude the course in Canvas instead.",
    Why.WAS_BY_HAND: "Nothing, or remove them in Canvas.",
    Why.USER_GONE: "Look in Canvas with whom the user was merged.",
    Why.USER_STAYS: "Nothing, or suspend them in Canvas.",
    Why.USER_SUSPENDED: "Delete them in Canvas if they must go.",
    Why.LOGIN_TAKEN: "Give the other user another login in Canvas, then undo the plan once more.",
}

HARMLESS = frozenset({Why.NOT_CONFIRMED, Why.AS_BEFORE})
"""What needs nobody's thought."""


class Loss(msgspec.Struct, frozen=True):
    """Something that does not come back.

    :param sis_id: the object's, or that of the whole roster.
    :param weight: how many people it is about, 1 for an object.
    :param facts: names and values; never a person's.
    """

    why: Why
    kind: Kind
    sis_id: str
    weight: int = 1
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> Key:
        """The object, or the whole roster."""
        return Key(self.kind, self.sis_id)

    def __str__(self) -> str:
        count = f" ({self.weight} people)" if self.kind in (Kind.USER, Kind.ENROLLMENT, Kind.ADMIN) else ""
        facts = "".join(f", {name} {value}" for name, value in self.facts)
        return f"{self.key}{count}{facts}: {MEANINGS[self.why]} {REMEDIES[self.why]}"


class Losses:
    """Gathers what does not come back; people of a roster are counted together."""

    def __init__(self) -> None:
        self._weights: dict[tuple[Why, Key, tuple[tuple[str, str], ...]], int] = {}

    def tell(self, why: Why, key: Key, weight: int = 1, **facts: object) -> None:
        """Something does not come back."""
        told = why, key, tuple((name, str(value)) for name, value in facts.items())
        self._weights[told] = self._weights.get(told, 0) + weight

    def all(self) -> tuple[Loss, ...]:
        """All of it, what matters most first."""
        order = {why: place for place, why in enumerate(sorted(Why, key=HARMLESS.__contains__))}
        found = [Loss(why, *key, weight, facts) for (why, key, facts), weight in self._weights.items()]
        return tuple(sorted(found, key=lambda one: (order[one.why], one.kind, one.sis_id, one.facts)))
