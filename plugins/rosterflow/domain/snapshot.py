"""What the source says the world should be, and whether that can be trusted to be all of it (design §2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rosterflow.domain.decisions import Decision, RowProblem
from rosterflow.domain.model import CanvasObject, Key, SourceKind, key_of
from rosterflow.domain.rosters import Thing, WantedRoster
from rosterflow.domain.user_ids import NewId

TERMLESS = frozenset(
    {
        SourceKind.ORGANISASJONSENHET,
        SourceKind.EMNE,
        SourceKind.STUDIEPROGRAM,
        SourceKind.KULL,
        SourceKind.KLASSE,
        SourceKind.EVU_KURS,
    }
)
"""Kinds that belong to no term: the daily scope holds all of them."""

OF_EMNER = frozenset({SourceKind.EMNE, SourceKind.UNDERVISNINGSENHET, SourceKind.UNDERVISNINGSAKTIVITET})
"""Kinds that belong to an emne: a run for single emner reads those of its emner only."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of the world that a run speaks about: kinds, terms, and optionally single emner.

    What is outside is never removed, whatever the snapshot lacks.

    :param terms: SIS ids of the terms (``2026_HØST``).
    :param sources: kinds of row that were read.
    :param emnekoder: when given, only these emner were read.
    """

    terms: frozenset[str]
    sources: frozenset[SourceKind] = frozenset(SourceKind)
    emnekoder: frozenset[str] | None = None

    @property
    def is_partial(self) -> bool:
        """Whether a person narrowed the run by kinds or emner: such a run adds and updates only."""
        return self.emnekoder is not None or self.sources != frozenset(SourceKind)

    @property
    def widened(self) -> Scope:
        """The scope that the run would have if nobody had narrowed it by kinds or emner."""
        return Scope(self.terms)

    def speaks_of(self, thing: Thing) -> bool:
        """Whether a run may add or change an object that it read, or leaves it to a run that nobody narrowed."""
        source = thing.origin.source
        return source in self.sources and (self.emnekoder is None or source in OF_EMNER)

    def covers(self, thing: Thing) -> bool:
        """Whether the absence of this object from the source would mean something."""
        origin = thing.origin
        if origin.source not in self.sources:
            return False
        if origin.source in TERMLESS and origin.term is None:
            return True
        return origin.term in self.terms


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a source says should be, within a scope.

    :param scope: what was read.
    :param objects: every object the source wants, by key.
    :param gaps: why it is not complete, one sentence each; empty means that the last page of every connection was seen
        and every row was readable.
    :param untouchable: keys about which the source contradicts itself or is unreadable: what is confirmed there stays.
    :param rosters: every roster the source wants, by the key of the whole; none at all: nothing is said about people.
    :param people_gaps: why the people are not all there, one sentence each.
    :param user_ids: by the SIS id that Canvas knows, the one that a user goes by in the source now.
    :param user_numbers: where ids are made of logins, the personlopenummer of each user who is sent, by SIS id.
    :param rows_read: rows read per kind, before any rule; of teaching those in the scope's terms.
    """

    scope: Scope
    objects: Mapping[Key, CanvasObject]
    gaps: tuple[str, ...] = ()
    untouchable: frozenset[Key] = frozenset()
    decisions: tuple[Decision, ...] = ()
    problems: tuple[RowProblem, ...] = ()
    rows_read: Mapping[SourceKind, int] = field(default_factory=dict)
    rosters: Mapping[Key, WantedRoster] = field(default_factory=dict)
    people_gaps: tuple[str, ...] = ()
    user_ids: Mapping[str, NewId] = field(default_factory=dict)
    user_numbers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Only a complete snapshot may remove anything: with a section that is deleted its people go, too."""
        return not self.gaps and not self.people_gaps


def snapshot_of(scope: Scope, things: Iterable[CanvasObject], gaps: tuple[str, ...] = ()) -> Snapshot:
    """A snapshot of given objects, without decisions; for tests and for small sources."""
    return Snapshot(scope, {key_of(thing): thing for thing in things}, gaps)
