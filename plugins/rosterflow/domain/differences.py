"""How Canvas, as it is, differs from what it last confirmed: the words of a comparison (see :mod:`.reconcile`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from rosterflow.domain.confirmed import World
from rosterflow.domain.model import Key, Kind


class Finding(StrEnum):
    """What a difference is."""

    MISSING = "missing"
    """Ours, and gone in Canvas."""
    DRIFTED = "drifted"
    """A field, or the state, is another one."""
    EXTRA_BY_US = "extra-by-us"
    """Under an id of ours and made by an import, but nobody remembers it."""
    EXTRA_BY_HAND = "extra-by-hand"
    """People made it in Canvas, in what is ours."""
    ORPHAN = "orphan"
    """In use, though what it lies in, or whose it is, is gone."""
    UNKNOWN_ROLE = "unknown-role"
    """In a role that the settings do not name."""


MEANINGS: dict[Finding, str] = {
    Finding.MISSING: "It is ours and was confirmed, and Canvas has it no longer: somebody deleted it there.",
    Finding.DRIFTED: "Canvas has another value than it confirmed: somebody changed it there.",
    Finding.EXTRA_BY_US: "It has an id of ours and came by an import, but nothing is known of it.",
    Finding.EXTRA_BY_HAND: "People made it in Canvas, in what is ours. It is left alone.",
    Finding.ORPHAN: "It is in use, but what it lies in, or whose it is, is gone. It is left alone.",
    Finding.UNKNOWN_ROLE: "The settings do not name this role. It is left alone.",
}
REPAIRED = frozenset({Finding.MISSING, Finding.DRIFTED, Finding.EXTRA_BY_US})
"""Findings that the next sync mends when it is told to believe Canvas about them."""


class Hand(StrEnum):
    """Whose change a difference is, as far as can be told."""

    OURS = "us"
    """Canvas has what the source wants: it was sent, and never confirmed."""
    PEOPLE = "people"
    KEPT = "people, known"
    """Canvas ignores what we send there, and that was known (Canvas contract §4)."""


class Difference(msgspec.Struct, frozen=True):
    """One difference.

    :param kind: of the object, or of the people.
    :param sis_id: the object's, or that of the whole roster.
    :param user: SIS id of the person, ``""`` for an object.
    :param field: what drifted: a field or ``state``; ``""`` for other findings.
    :param wanted: the field's value, or else the state, as the source wants it; so are ``confirmed`` and ``actual``,
        as Canvas confirmed it and as it is there now. ``""`` where there is none, and for what users are called.
    """

    finding: Finding
    kind: Kind
    sis_id: str
    user: str = ""
    field: str = ""
    hand: Hand = Hand.PEOPLE
    wanted: str = ""
    confirmed: str = ""
    actual: str = ""

    @property
    def key(self) -> Key:
        """The object, or the whole roster."""
        return Key(self.kind, self.sis_id)

    @property
    def can_be_repaired(self) -> bool:
        """Whether the next sync would mend it, or take note of it, if Canvas were believed."""
        return self.finding in REPAIRED and self.hand is not Hand.KEPT


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison found.

    :param differences: by finding, kind and id.
    :param following: objects and rosters that differ only because of something that is told.
    :param followed: how many objects, and people in a role, differ for that, per kind.
    :param compared: how many were looked at, per kind.
    """

    differences: tuple[Difference, ...]
    following: frozenset[Key]
    followed: Counter[Kind]
    compared: Counter[Kind]

    @property
    def counts(self) -> dict[Finding, Counter[Kind]]:
        """How many objects, or people in a role, each finding is about, per kind."""
        found: dict[Finding, Counter[Kind]] = {finding: Counter() for finding in Finding}
        for finding, kind, *_ in {(one.finding, one.kind, one.sis_id, one.user) for one in self.differences}:
            found[finding][kind] += 1
        return found

    @property
    def to_believe(self) -> frozenset[Key]:
        """Objects and rosters about which Canvas must be believed, so that the next sync mends what was found."""
        mended = frozenset(one.key for one in self.differences if one.can_be_repaired)
        return mended | self.following if mended else mended


@dataclass(frozen=True, slots=True)
class Worlds:
    """What is compared.

    :param wanted: what Canvas will be when every change that is planned or waits has been made.
    :param confirmed: what Canvas last confirmed.
    :param actual: what it has now; objects that were made there without a SIS id have one made of Canvas's.
    :param made_by_hand: those of its objects that no import made.
    """

    wanted: World
    confirmed: World
    actual: World
    made_by_hand: Collection[Key] = frozenset()


class Findings:
    """Gathers what a comparison finds."""

    def __init__(self) -> None:
        self._differences: list[Difference] = []
        self._following: set[Key] = set()
        self._followed: Counter[Kind] = Counter()
        self.compared: Counter[Kind] = Counter()

    def tell(self, one: Difference) -> None:
        """A difference that is told."""
        self._differences.append(one)

    def follow(self, key: Key, people: int = 1) -> None:
        """An object, or some people of a roster, that differ only because of something that is told."""
        self._following.add(key)
        self._followed[key.kind] += people

    def comparison(self) -> Comparison:
        """All of it, in a fixed order."""
        findings, kinds = list(Finding), list(Kind)

        def place(one: Difference) -> tuple[int, int, str, str, str]:
            return findings.index(one.finding), kinds.index(one.kind), one.sis_id, one.user, one.field

        told = tuple(sorted(self._differences, key=place))
        return Comparison(told, frozenset(self._following), self._followed, self.compared)
