"""Reading people: what each read is narrowed by, and how the large ones are split into parts.

A read of people is one or more *parts*: one operation with one set of variables each, paged and kept like any read
(:mod:`rosterflow.sync.reading`). One task reads one large part, or several small ones. What the filters take is ids of
the study structure, so it is read first. The same structure and settings give the same parts, and a task that is tried
again finds its own.

How large a read will be is estimated from the structure, not asked: FS's ``totalCount`` may be null or wrong (FS
reference §3.1). A wrong estimate makes parts longer or shorter, and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import chain
from typing import Any

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.fs import nodes
from rosterflow.domain.fs.nodes import Malformed
from rosterflow.domain.fs.people import PeopleRow, Person
from rosterflow.domain.fs.people_nodes import Page, rows_of_pages
from rosterflow.domain.institution import Institution
from rosterflow.domain.mapping.people import PeopleSource
from rosterflow.domain.model import SourceKind
from rosterflow.domain.snapshot import Scope
from rosterflow.domain.windows import Semester, calendar_days
from rosterflow.hooks.fs_operations import PEOPLE, Operation

MOST_PARTS = 50
"""A mapped task costs Airflow some seconds; more than this are slower than longer ones (Airflow findings §1)."""
DAYS_BACK = 400
"""A role that ended so long ago still comes, and can be told from one that was deleted; no grace lasts longer."""
ROWS_EXPECTED: Mapping[str, int] = {
    "brukere": 20,
    "semesterregistrerte": 20,
    "emne_studieretter": 50,
    "enhetsroller": 2,
    "emneroller": 2,
    "studieprogramroller": 2,
    "kullroller": 2,
    "klasseroller": 2,
    "evu_kursroller": 2,
    "undervisningsenhetsroller": 4,
    "undervisningsaktivitetsroller": 8,
    "program_studieretter": 250,
    "klassemedlemskap": 150,
    "evu_kursdeltakelser": 30,
}
"""Rows to expect for each study programme or EVU course where a read is split by these, elsewhere for each
undervisningsenhet; on the high side (FS reference §14)."""
USERS = "brukere"
REGISTERED = "semesterregistrerte"
"""The one operation whose rows do not say which term they are about."""
STRUCTURE_NEEDED: Mapping[str, tuple[str, ...]] = {
    "2026": ("terminer", "undervisning", "studieprogram", "evu_kurs"),
    "2023": (),
}
"""The structure operations whose ids the parts are made of, by dialect."""

Pages = Callable[[], Iterable[Page]]
"""Gives the pages of a part, in order, each time it is called."""

_SOURCES: Mapping[str, SourceKind] = {
    USERS: SourceKind.BRUKER,
    REGISTERED: SourceKind.BRUKER,
    "emne_studieretter": SourceKind.EMNESTUDIERETT,
    "program_studieretter": SourceKind.PROGRAMSTUDIERETT,
    "klassemedlemskap": SourceKind.KLASSEMEDLEMSKAP,
    "evu_kursdeltakelser": SourceKind.EVU_DELTAKELSE,
}
_OF_EMNER = frozenset(
    {
        USERS,
        REGISTERED,
        "emne_studieretter",
        "emneroller",
        "undervisningsenhetsroller",
        "undervisningsaktivitetsroller",
    }
)
"""What a run for single emner reads."""


@dataclass(frozen=True, slots=True)
class Structure:
    """FS's ids of what was read of the study structure.

    :param terms: those of the run's terms that FS has, by their SIS ids.
    :param emner: emner that are taught in these terms, and how many undervisningsenheter each has there.
    :param studieprogrammer: every study programme that was read.
    :param evu_kurs: every EVU course that was read.
    """

    terms: Mapping[str, str] = field(default_factory=dict)
    emner: Mapping[str, int] = field(default_factory=dict)
    studieprogrammer: tuple[str, ...] = ()
    evu_kurs: tuple[str, ...] = ()


def structure_of(scope: Scope, operation_pages: Mapping[str, Iterable[list[Any]]]) -> Structure:
    """The ids in the pages of :data:`STRUCTURE_NEEDED`.

    A node that is null or unreadable is passed over: the study structure has said so, and removes nothing then.
    """

    def nodes_of(operation: str) -> Iterator[dict[str, Any]]:
        for node in chain.from_iterable(operation_pages.get(operation, ())):
            if isinstance(node, dict) and node.get("id"):
                yield node

    terms = {term: node["id"] for node in nodes_of("terminer") if (term := _term(node)) in scope.terms}
    emner: dict[str, int] = {}
    for node in nodes_of("undervisning"):
        enheter = (node.get("undervisningsenheter") or {}).get("nodes") or ()
        if count := sum(isinstance(ue, dict) and _term(ue.get("termin")) in scope.terms for ue in enheter):
            emner[node["id"]] = count
    return Structure(
        terms={term: terms[term] for term in sorted(terms)},
        emner=emner,
        studieprogrammer=tuple(sorted(node["id"] for node in nodes_of("studieprogram"))),
        evu_kurs=tuple(sorted(node["id"] for node in nodes_of("evu_kurs"))),
    )


def _term(node: object) -> str | None:
    try:
        return nodes.semester({"termin": node}, "termin").sis_id
    except Malformed:
        return None


@dataclass(frozen=True, slots=True)
class Part:
    """One read of one operation.

    :param variables: the operation's, without those of paging.
    :param about: the term whose registrations are read (``2026_HØST``); elsewhere which part of several it is.
    :param rows: how many to expect.
    """

    operation: str
    variables: dict[str, Any]
    about: str = ""
    rows: int = 0

    @property
    def title(self) -> str:
        """What a person calls it: ``emne_studieretter 3 of 25``."""
        return f"{self.operation} {self.about}".rstrip()


def people_parts(institution: Institution, scope: Scope, structure: Structure) -> list[Part]:
    """Every part of a run's reads of people, in the order in which their rows are wanted.

    An operation without parts has nothing to ask for: no term, programme or course of the structure is in the scope.
    """
    if not institution.people.sync:
        return []
    asked = _Asked(institution, scope, structure)
    wanted = [name for name in PEOPLE[institution.fs.dialect] if asked.wants(name)]
    return [part for name in wanted for part in asked.parts(name)]


def batches(institution: Institution, parts: Iterable[Part]) -> list[list[Part]]:
    """Parts, in order, as one task each reads them: together no more rows than one task should read."""
    made: list[list[Part]] = []
    rows = 0
    for part in parts:
        rows += part.rows
        if not made or rows > institution.fs.rows_per_task:
            made.append([])
            rows = part.rows
        made[-1].append(part)
    return made


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the reads of one run ask for."""

    institution: Institution
    scope: Scope
    structure: Structure

    def wants(self, operation: str) -> bool:
        """Whether a run, as a person may have narrowed it, reads this operation at all."""
        if operation == REGISTERED and not self.institution.people.requires_semester_registration:
            return False
        source = _SOURCES.get(operation, SourceKind.PERSONROLLE)
        narrowed = self.scope.emnekoder is not None and operation not in _OF_EMNER
        return source in self.scope.sources and not narrowed

    def parts(self, operation: str) -> list[Part]:
        """An operation's parts; none when the structure has nothing to ask for."""
        number = self.institution.number
        if self.institution.fs.dialect == "2023":
            return [Part(operation, {"inst": number})]
        owner = {} if operation == "klassemedlemskap" else {"organisasjonskode": number}
        asked = self._narrowed(operation)
        rows = math.ceil(self._rows(operation) / max(1, len(asked)))
        return [
            Part(operation, {**owner, **variables}, self._about(operation, place, len(asked)), rows)
            for place, variables in enumerate(asked)
        ]

    def _about(self, operation: str, place: int, count: int) -> str:
        if operation == REGISTERED:
            return list(self.structure.terms)[place]
        return f"{place + 1} of {count}" if count > 1 else ""

    def _rows(self, operation: str) -> int:
        """How many rows to expect of a whole read."""
        match operation:
            case "program_studieretter" | "klassemedlemskap":
                places = len(self.structure.studieprogrammer)
            case "evu_kursdeltakelser":
                places = len(self.structure.evu_kurs)
            case _:
                places = sum(self.structure.emner.values())
        return places * ROWS_EXPECTED[operation]

    def _narrowed(self, operation: str) -> list[dict[str, Any]]:
        match operation:
            case "brukere":
                return [{"brukergrupper": group} for group in (self._students(), self._staff())]
            case "semesterregistrerte":
                return [{"terminer": [id_]} for id_ in self.structure.terms.values()]
            case "emne_studieretter" | "undervisningsenhetsroller" | "undervisningsaktivitetsroller":
                return self._of_teaching(operation)
            case "program_studieretter" | "klassemedlemskap":
                return self._of_each(operation, "studieprogrammer", self.structure.studieprogrammer)
            case "evu_kursdeltakelser":
                return self._of_each(operation, "evuKurs", self.structure.evu_kurs)
            case "enhetsroller":
                return [{"nested": self.institution.fs.nested_page_size}]
            case "emneroller":
                return [self._lately | self._of_named_emner]
            case "studieprogramroller":
                return [{"skalEksporteresTilLms": exported, **self._lately} for exported in (True, False)]
            case _:
                return [self._lately]

    def _of_teaching(self, operation: str) -> list[dict[str, Any]]:
        """Parts by emner; a read that one task can do names none, and so leaves none out."""
        emner, terms = self.structure.emner, list(self.structure.terms.values())
        if not terms:
            return []
        if self.scope.emnekoder is None and self._rows(operation) <= self.institution.fs.rows_per_task:
            return [{"terminer": terms}]
        return [{"terminer": terms, "emner": chunk} for chunk in self._chunks(operation, emner)]

    def _of_each(self, operation: str, variable: str, ids: Sequence[str]) -> list[dict[str, Any]]:
        return [{variable: chunk} for chunk in self._chunks(operation, dict.fromkeys(ids, 1))]

    def _chunks(self, operation: str, weights: Mapping[str, int]) -> Iterator[list[str]]:
        """Ids in order, in pieces of about equal weight."""
        whole = sum(weights.values())
        count = min(MOST_PARTS, math.ceil(self._rows(operation) / self.institution.fs.rows_per_task))
        pieces: list[list[str]] = [[] for _ in range(count)]
        before = 0
        for key in sorted(weights):
            pieces[before * count // whole].append(key)
            before += weights[key]
        return filter(None, pieces)

    @property
    def _of_named_emner(self) -> dict[str, Any]:
        return {} if self.scope.emnekoder is None else {"emner": sorted(self.structure.emner)}

    def _period(self, days_back: int = 0) -> dict[str, str]:
        """From the first day of the run's terms, or so many days before it, to their last day."""
        semesters = sorted(map(Semester.of, self.scope.terms))
        first, _ = calendar_days(semesters[0], self.institution.terms)
        _, last = calendar_days(semesters[-1], self.institution.terms)
        return {"fraDato": str(first - timedelta(days=days_back)), "tilDato": str(last)}

    @property
    def _lately(self) -> dict[str, Any]:
        return {"aktivInnenforPeriode": self._period(DAYS_BACK)}

    def _students(self) -> list[dict[str, Any]]:
        """The groups of users who are there to learn."""
        of_teaching = [{"emneSoknadFilter": {"terminer": list(self.structure.terms.values())}}]
        return [
            *(of_teaching if self.structure.terms else ()),
            {"programStudierettfilter": {"erAktivInnenforPeriode": self._period()}},
            {"kursSoknadfilter": {"evuKursErAktivInnenforPeriode": self._period()}},
        ]

    def _staff(self) -> list[dict[str, Any]]:
        """The groups of users who are staff, or have a role."""
        semesters = sorted(map(Semester.of, self.scope.terms))
        terms = [{"arstall": year, "betegnelse": betegnelse.name} for year, betegnelse in semesters]
        of_terms = ("undervisningsenhetsrolle", "undervisningsaktivitetsrolle")
        in_period = ("emnerolle", "studieprogramrolle", "kullrolle", "klasserolle", "evuKursrolle")
        return [
            {"fagpersonfilter": {"erAktiv": [True]}},
            *({f"{role}Filter": {"terminer": terms}} for role in of_terms),
            *({f"{role}Filter": {"aktivInnenforPeriode": self._period()}} for role in in_period),
        ]


def page_size_of(institution: Institution, operation: Operation) -> int:
    """Rows to ask for in a root page: rows of people are small, unless more hang inside them."""
    is_people = operation.dialect == "2026" and operation.name in PEOPLE["2026"]
    return institution.fs.people_page_size if is_people and not operation.nested else institution.fs.page_size


def people_source(dialect: str, reads: Sequence[tuple[Part, Pages]], gaps: Iterable[str] = ()) -> PeopleSource:
    """The people that a run read, as streams that take the pages anew each time: no page is kept for the next one.

    :param reads: each part with what gives its pages.
    :param gaps: what the reads themselves found missing.
    """
    users = [read for read in reads if read[0].operation == USERS]
    registrations = [read for read in reads if read[0].operation == REGISTERED]
    others = [read for read in reads if read not in users and read not in registrations]
    registered, unread = _registered(registrations)
    return PeopleSource(
        users=partial(_rows, dialect, users) if users else None,
        rows=partial(_rows, dialect, others),
        registered=registered if registrations else None,
        gaps=(*gaps, *unread),
    )


def _rows(dialect: str, reads: Iterable[tuple[Part, Pages]]) -> Iterator[PeopleRow | RowProblem]:
    for part, pages in reads:
        yield from rows_of_pages(part.operation, dialect, pages())


def _registered(reads: Iterable[tuple[Part, Pages]]) -> tuple[dict[Semester, frozenset[str]], list[str]]:
    """Who is registered for each term, and which rows of that could not be read."""
    registered, unread = {}, []
    for part, pages in reads:
        rows = list(_rows("2026", [(part, pages)]))
        registered[Semester.of(part.about)] = frozenset(row.person for row in rows if isinstance(row, Person))
        unread += [row.message for row in rows if isinstance(row, RowProblem)]
    return registered, unread
