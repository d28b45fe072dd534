"""Undervisningsenheter as courses: which rows are one course over several terms, and which course follows which.

Source: issue 2 §2.4 (Undervisningsenheter); FS reference §7.15, §7.20, §8.1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rosterflow.domain.fs.rows import Emne, EmneKey, UeKey, Undervisningsenhet
from rosterflow.domain.naming import SisIds, version_order
from rosterflow.domain.windows import Semester, first_term


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """The exported undervisningsenheter, in order of time, that are one course.

    :param first: the term in which the course begins, which gives it its id; it may lie before the scope.
    :param sis_id: the id of its section, and of its own course if it has one.
    """

    emne: Emne
    first: Semester
    enheter: tuple[Undervisningsenhet, ...]
    sis_id: str

    @property
    def last(self) -> Undervisningsenhet:
        """The row of the latest term."""
        return self.enheter[-1]

    @property
    def subjects(self) -> tuple[str, ...]:
        """The natural keys of its rows."""
        return tuple(enhet.subject for enhet in self.enheter)

    @property
    def last_term(self) -> Semester:
        """The last term of the course: ``sisteTermin`` where FS says it, and never before a term that was seen."""
        seen = self.last.key.semester
        return max(self.last.siste_termin or seen, seen)

    @property
    def spans_terms(self) -> bool:
        """Whether the course lasts more than one term."""
        only = self.enheter[0].key
        return self.last_term != only.semester or any(enhet.key.terminnummer > 1 for enhet in self.enheter)


def chains_of(ids: SisIds, enheter: Iterable[Undervisningsenhet], emner: Mapping[EmneKey, Emne]) -> list[Chain]:
    """The courses of exported undervisningsenheter, one row for each natural key."""
    together: dict[tuple[EmneKey, Semester], list[Undervisningsenhet]] = defaultdict(list)
    for enhet in enheter:
        key = enhet.key
        together[key.emne, first_term(key.semester, key.terminnummer)].append(enhet)
    return [
        Chain(emner[emne], first, tuple(sorted(rows, key=lambda row: row.key)), ids.ue(emne, first))
        for (emne, first), rows in together.items()
    ]


class Leaders:
    """Who follows whom: for each chain the chain in whose course its section lies, and why."""

    def __init__(self, chains: Iterable[Chain]) -> None:
        self._leader: dict[Chain, Chain] = {}
        self._by_teaching: dict[tuple[str, Semester, int], Chain] = {}
        chains = sorted(chains, key=lambda chain: version_order(chain.emne.key.versjonskode))
        for chain in chains:
            for enhet in chain.enheter:
                self._by_teaching[_teaching(enhet.key)] = chain  # the highest version comes last and stays
        for chain in chains:
            if leader := self._followed(chain):
                self._leader[chain] = leader

    def _followed(self, chain: Chain) -> Chain | None:
        """The course that a chain's latest following row with a leader follows."""
        for enhet in reversed(chain.enheter):
            kode = enhet.undervisningen_folger
            if kode and (leader := self._by_teaching.get((kode, *_teaching(enhet.key)[1:]))):
                return leader
        return None

    def of(self, chain: Chain) -> tuple[Chain, str | None]:
        """The chain whose course holds this chain's section, and the rule by which it does.

        Chains of followers are resolved to their end; those on a circle have courses of their own.
        """
        path: dict[Chain, int] = {}
        end = chain
        while end in self._leader and end not in path:
            path[end] = len(path)
            end = self._leader[end]
        if end is chain:
            follows = any(enhet.undervisningen_folger for enhet in chain.enheter)
            rule = "followed-cycle" if path else "followed-missing" if follows else None
            return chain, rule
        return end, "ue-follows"


def _teaching(key: UeKey) -> tuple[str, Semester, int]:
    return key.emne.kode, key.semester, key.terminnummer
