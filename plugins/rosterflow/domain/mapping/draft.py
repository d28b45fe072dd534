"""A snapshot while it is being made: what each row asks for, and what of that can stand.

Every row leaves one entry, which becomes one decision. Only when all have spoken can be told which rows form one id,
and whose parent will not be there (issue 2 §2.4, Ids).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import msgspec

from rosterflow.domain.decisions import Decision, RowProblem
from rosterflow.domain.errors import Code
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import CanvasObject, Key, Kind, SourceKind, key_of, parents_of
from rosterflow.domain.naming import SisIds
from rosterflow.domain.snapshot import Scope
from rosterflow.domain.windows import Semester

Facts = tuple[tuple[str, str], ...]


class Entry(msgspec.Struct, frozen=True):
    """What one row asks for (several, when they are one course over several terms).

    :param keys: the Canvas objects it is about, the main one first, whether it asks for them or not.
    :param things: the objects it asks for.
    """

    source: SourceKind
    subjects: tuple[str, ...]
    allowed: bool
    rule: str
    facts: Facts
    keys: tuple[Key, ...]
    things: tuple[CanvasObject, ...] = ()

    @property
    def wanted(self) -> Iterator[tuple[Key, CanvasObject]]:
        """What it asks for, by key."""
        return zip(self.keys, self.things, strict=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What stands once every row has spoken."""

    objects: dict[Key, CanvasObject]
    untouchable: frozenset[Key]
    decisions: tuple[Decision, ...]
    problems: tuple[RowProblem, ...]


class Draft:
    """Gathers entries, problems and protected keys.

    :param confirmed: alive objects as Canvas confirmed them.
    :param is_whole: whether the read was complete; if not, what was not seen may exist.
    """

    def __init__(
        self, institution: Institution, scope: Scope, confirmed: Mapping[Key, CanvasObject], *, is_whole: bool
    ) -> None:
        self.institution = institution
        self.names = institution.names
        self.ids = SisIds(institution.number)
        self.home = institution.canvas.account
        self.scope = scope
        self.terms = frozenset(map(Semester.of, scope.terms))
        self.confirmed = confirmed
        self.is_whole = is_whole
        self.protected: set[Key] = set()
        self._entries: list[Entry] = []
        self._problems: list[RowProblem] = []

    # ----------------------------------------------------------------- what rows ask for
    def want(
        self,
        source: SourceKind,
        subjects: tuple[str, ...],
        things: Iterable[CanvasObject],
        rule: str,
        facts: Facts = (),
    ) -> None:
        """The row becomes these objects; a kind that the run does not speak about stays as it is confirmed."""
        if source not in self.scope.sources:
            things = (self.confirmed.get(key_of(thing), thing) for thing in things)
        kept = tuple(things)
        self._entries.append(Entry(source, subjects, True, rule, facts, tuple(map(key_of, kept)), kept))

    def refuse(self, source: SourceKind, subject: str, rule: str, facts: Facts = (), *keys: Key) -> None:
        """The row becomes nothing; ``keys`` are the objects it would have become."""
        self._entries.append(Entry(source, (subject,), False, rule, facts, keys))

    def note(self, source: SourceKind, subject: str, rule: str, facts: Facts = (), *keys: Key) -> None:
        """A row, or the run, is fine as it is and needs no object of ours."""
        self._entries.append(Entry(source, (subject,), True, rule, facts, keys))

    def problem(self, problem: RowProblem) -> None:
        """A row could not be used."""
        self._problems.append(problem)

    def protect(self, *keys: Key) -> None:
        """What is confirmed under these keys stays as it is, unless a sound row asks for it."""
        self.protected.update(keys)

    def protect_below(self, sis_id: str) -> None:
        """What is confirmed under this id, or under one that continues it, stays as it is."""
        names = self._confirmed_ids
        for exact, prefix in ((True, sis_id), (False, f"{sis_id}_")):
            for place in range(bisect_left(names, (prefix,)), len(names)):
                name, kind = names[place]
                if name != prefix if exact else not name.startswith(prefix):
                    break
                self.protected.add(Key(kind, name))

    @cached_property
    def _confirmed_ids(self) -> list[tuple[str, Kind]]:
        return sorted((key.sis_id, key.kind) for key in self.confirmed)

    def is_ours(self, service_number: str | None) -> bool:
        """Whether a row's tjenestenummerForLms is one of the institution's."""
        fs = self.institution.fs
        if not fs.service_numbers:
            return True
        return fs.null_service_number_is_ours if service_number is None else service_number in fs.service_numbers

    # ----------------------------------------------------------------- what can stand
    def finish(self) -> Outcome:
        """Settle collisions and missing parents."""
        unsent = dict.fromkeys(self._settle_rivals(), "id-collision")
        objects = {
            key: thing for n, entry in enumerate(self._entries) if n not in unsent for key, thing in entry.wanted
        }
        for n in self._without_parent(unsent, objects):
            unsent[n] = "parent-not-sent"
            for key, _ in self._entries[n].wanted:
                del objects[key]
        for n in unsent:
            self.protect(*self._entries[n].keys)
        return Outcome(
            objects=objects,
            untouchable=frozenset((self.protected & self.confirmed.keys()) - objects.keys()),
            decisions=tuple(sorted(self._decisions(unsent), key=lambda d: (d.source, d.subject, d.rule, d.facts))),
            problems=tuple(sorted(self._problems, key=lambda p: (p.source, p.subject, p.code, p.message))),
        )

    def _settle_rivals(self) -> set[int]:
        """Entries that share an id, or a row's natural key, with another one; each group is one problem."""
        first: dict[Hashable, int] = {}
        rivals: dict[Hashable, set[int]] = defaultdict(set)
        for n, entry in enumerate(self._entries):
            rows = ((entry.source, subject) for subject in entry.subjects)
            for claim in (*rows, *entry.keys[: len(entry.things)]):
                holder = first.setdefault(claim, n)
                if holder != n:
                    rivals[claim] |= {holder, n}
        groups = {frozenset(group) for group in rivals.values() if any(self._entries[n].allowed for n in group)}
        for group in groups:
            entries = sorted((self._entries[n] for n in group), key=lambda entry: entry.subjects)
            subjects = [entry.subjects[0] for entry in entries]
            ids = sorted({key.sis_id for entry in entries for key in entry.keys})
            message = f"{' and '.join(subjects)} form one id ({', '.join(ids)}) or contradict each other: not sent."
            self.problem(RowProblem(Code.ID_COLLISION, entries[0].source, subjects[0], "", message))
        return set().union(*groups)

    def _without_parent(self, unsent: Mapping[int, str], objects: Mapping[Key, CanvasObject]) -> set[int]:
        """Entries of which a parent neither stands in Canvas nor is sent, and what is below them, all the way down."""
        children: dict[Key, list[int]] = defaultdict(list)
        waiting: list[int] = []
        for n, entry in enumerate(self._entries):
            for parent in self._open_parents(entry) if n not in unsent else ():
                children[parent].append(n)
                if parent not in objects:
                    waiting.append(n)
        lost: set[int] = set()
        while waiting:
            n = waiting.pop()
            if n not in lost:
                lost.add(n)
                for key in self._entries[n].keys:
                    waiting.extend(children.get(key, ()))
        return lost

    def _open_parents(self, entry: Entry) -> Iterator[Key]:
        """Parents that do not stand in Canvas already."""
        for thing in entry.things:
            for parent in parents_of(thing):
                if parent not in self.confirmed and parent != (Kind.ACCOUNT, self.home):
                    yield parent

    def _decisions(self, unsent: Mapping[int, str]) -> Iterator[Decision]:
        for n, entry in enumerate(self._entries):
            rule = unsent.get(n)
            facts = entry.facts if rule is None else (*entry.facts, ("else", entry.rule))
            allowed = entry.allowed and rule is None
            key = entry.keys[0] if entry.keys else None
            for subject in entry.subjects:
                yield Decision(entry.source, subject, allowed, rule or entry.rule, facts, key)


def ruled(rule: str, *notes: str | None) -> tuple[str, Facts]:
    """The one rule of a row's decision: the first note if there is one; the others become facts."""
    first, *rest = (*filter(None, notes), rule)
    return first, tuple(("also", other) for other in rest)
