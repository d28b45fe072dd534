"""FS's people as rosters: one pure function from what was read, and the structure it belongs to, to who is where.

Users come first, for they say who may be anywhere at all; then every right, membership and role is one row that puts
its person somewhere, without an object of its own. `explain` runs the same rules for one person and is told each step.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.fs.people import (
    LACKING_2023,
    EmneRett,
    EvuDeltaker,
    KlasseMedlem,
    PeopleRow,
    Person,
    ProgramRett,
    Rolle,
    UnknownPerson,
    subject_of,
)
from rosterflow.domain.fs.rows import UnreadableRow
from rosterflow.domain.institution import Institution
from rosterflow.domain.mapping.people_admission import Admission
from rosterflow.domain.mapping.people_ledger import Ledger, Step
from rosterflow.domain.mapping.people_places import Places, shut_places
from rosterflow.domain.mapping.people_rosters import Gathering
from rosterflow.domain.mapping.people_staff import Staff, not_staff_since
from rosterflow.domain.mapping.people_students import Registered, Students
from rosterflow.domain.mapping.people_users import UserMap, user_rosters
from rosterflow.domain.model import CanvasObject, Key, Kind, SourceKind
from rosterflow.domain.rosters import Member, Place, Roster, WantedRoster
from rosterflow.domain.snapshot import Scope, Snapshot
from rosterflow.domain.user_ids import NewId
from rosterflow.domain.windows import Semester, day_start

__all__ = ["PeopleSource", "Step", "explain_person", "map_people", "not_staff_since"]

Stream = Callable[[], Iterable[PeopleRow | RowProblem]]
_NEVER: Mapping[str, date] = {}
_NOTHING: Mapping[Key, CanvasObject] = {}
_NO_NUMBERS: Mapping[str, str] = {}
_SOURCES: dict[type, SourceKind] = {
    kind: kind.source for kind in (EmneRett, ProgramRett, KlasseMedlem, EvuDeltaker, Rolle)
}


@dataclass(frozen=True, slots=True)
class PeopleSource:
    """The people that one run read, as streams that begin anew each time they are called: nobody holds a million rows.

    :param users: who may be in the LMS (operation ``brukere``); ``None`` when the run did not ask.
    :param rows: every right, membership and role, in any order.
    :param registered: who is registered for which term; ``None`` when it was not read.
    :param gaps: why the read is not complete, one sentence each.
    """

    users: Stream | None
    rows: Stream
    registered: Registered | None = None
    gaps: tuple[str, ...] = ()


def map_people(
    institution: Institution,
    scope: Scope,
    structure: Snapshot,
    people: PeopleSource,
    confirmed: Mapping[Key, Roster],
    today: date,
    no_longer_staff: Mapping[str, date] = _NEVER,
    in_use: Mapping[Key, CanvasObject] = _NOTHING,
    rejected: Collection[tuple[Key, Key]] = (),
    numbers: Mapping[str, str] = _NO_NUMBERS,
) -> Snapshot:
    """Who should be where by what was read from FS.

    :param structure: what the same run's structure becomes; its decisions say where each row stands.
    :param confirmed: every roster that Canvas confirmed, by the key of the whole.
    :param today: the local day of the run.
    :param no_longer_staff: since when people are not fagperson any more (:func:`not_staff_since`).
    :param in_use: the objects in use in Canvas, as confirmed; their dates say whose term or period is over.
    :param rejected: changes of an id that a person rejected, as the old key and the new one.
    :param numbers: personlopenummer by SIS id of the user, where ids are made of logins.
    :returns: the structure's snapshot with rosters, and with the decisions, problems and gaps of people added.
    """
    if not institution.people.sync:
        return structure
    ledger = Ledger()
    run = _Run(institution, scope, structure, people, confirmed, ledger, in_use, rejected, numbers)
    if institution.fs.dialect == "2023":
        rosters: list[WantedRoster] = []
        run.count_unnamed()
    else:
        rosters = list(run.rosters(today, no_longer_staff))
    return replace(
        structure,
        rosters={one.roster.whole: one for one in rosters},
        people_gaps=run.gaps(),
        user_ids=run.user_ids,
        user_numbers=run.user_numbers,
        decisions=(*structure.decisions, *ledger.decisions),
        problems=(*structure.problems, *ledger.problems),
        rows_read={**structure.rows_read, **run.rows_read},
    )


def explain_person(
    institution: Institution,
    scope: Scope,
    structure: Snapshot,
    people: PeopleSource,
    confirmed: Mapping[Key, Roster],
    today: date,
    person: str,
    no_longer_staff: Mapping[str, date] = _NEVER,
    in_use: Mapping[Key, CanvasObject] = _NOTHING,
    rejected: Collection[tuple[Key, Key]] = (),
    numbers: Mapping[str, str] = _NO_NUMBERS,
) -> tuple[Step, ...]:
    """Every rule that is applied to one person, in order, by running those that :func:`map_people` runs.

    :param person: personlopenummer.
    """

    def theirs() -> Iterator[PeopleRow | RowProblem]:
        return (row for row in people.rows() if getattr(row, "person", None) == person)

    ledger = Ledger(about=person)
    theirs_only = replace(people, rows=theirs)
    run = _Run(institution, scope, structure, theirs_only, confirmed, ledger, in_use, rejected, numbers)
    for _ in run.rosters(today, no_longer_staff):
        pass
    return tuple(ledger.steps)


class _Run:
    """One pass over the people of a read."""

    def __init__(
        self,
        institution: Institution,
        scope: Scope,
        structure: Snapshot,
        people: PeopleSource,
        confirmed: Mapping[Key, Roster],
        ledger: Ledger,
        in_use: Mapping[Key, CanvasObject],
        rejected: Collection[tuple[Key, Key]],
        numbers: Mapping[str, str],
    ) -> None:
        self._institution = institution
        self._scope = scope
        self._structure = structure
        self._people = people
        self._confirmed = confirmed
        self._ledger = ledger
        self._in_use = in_use
        self._rejected = {(old.sis_id, new.sis_id) for old, new in rejected if old.kind is Kind.USER}
        self._numbers = numbers
        self.user_ids: dict[str, NewId] = {}
        self.user_numbers: dict[str, str] = {}
        self._gaps: dict[str, None] = dict.fromkeys(people.gaps)
        self._unreadable: set[str] = set()
        self.rows_read: dict[SourceKind, int] = {}

    def rosters(self, today: date, no_longer_staff: Mapping[str, date]) -> Iterator[WantedRoster]:
        """Every roster that the source wants, users first."""
        known = self._known_users()
        user_map = UserMap(self._institution, known, self._ledger, self._rejected, self._numbers)
        users = user_map.map(self._persons(), self._unreadable)
        self.user_ids = users.renamed
        if self._institution.people.users.sis_id == "feide_bruker":
            self.user_numbers = {user: number for number, user in users.ids.items()}
        yield from user_rosters(users, known)
        admission = Admission(
            users, user_map, known, self._ledger, were_read=self._asked_for_users, unreadable=self._unreadable
        )
        places = Places(self._structure, self._institution.canvas.account)
        gathering = Gathering(places, self._ledger, self._shut(today))
        terms = frozenset(map(Semester.of, self._scope.terms))
        registered = self._registered()
        self._take(
            Students(self._institution, gathering, admission, terms, registered, today),
            Staff(self._institution, gathering, admission, terms, today, no_longer_staff),
        )
        admission.report_strangers()
        yield from gathering.finish(self._confirmed, self._structure.untouchable)

    def _shut(self, today: date) -> frozenset[Place]:
        """Where the dates were over before today both by the source and by what Canvas confirmed."""
        midnight = day_start(today, self._institution.zone)
        return shut_places(self._structure.objects, midnight) & shut_places(self._in_use, midnight)

    def count_unnamed(self) -> None:
        """What FS's dialect of 2023 tells of people: that somebody has a role, never who."""
        unnamed = {
            f"{row.fs_rolle or '?'} at {subject_of(row.place)}"
            for row in self._people.rows()
            if isinstance(row, UnknownPerson)
        }
        facts = (*LACKING_2023, ("roles of nobody", str(len(unnamed))))
        self._ledger.decide(SourceKind.BRUKER, "dialect 2023", "dialect-2023-lacks-people", *facts, allowed=True)

    def gaps(self) -> tuple[str, ...]:
        """Why the people are not all there, one sentence each."""
        return tuple(self._gaps)

    # ----------------------------------------------------------------- users
    @property
    def _asked_for_users(self) -> bool:
        return self._people.users is not None and SourceKind.BRUKER in self._scope.sources

    def _known_users(self) -> dict[str, Member]:
        """Every user that Canvas confirmed."""
        known: dict[str, Member] = {}
        for roster in self._confirmed.values():
            if roster.kind is Kind.USER:
                known.update(roster.members)
        return known

    def _persons(self) -> Iterator[Person]:
        """The users that were read; a row of them that cannot be read leaves its person as they are."""
        read = self._people.users
        count = 0
        for row in read() if read and self._asked_for_users else ():
            count += 1
            if isinstance(row, Person):
                yield row
            elif isinstance(row, RowProblem):
                self._take_problem(row)
        if self._asked_for_users:
            self.rows_read[SourceKind.BRUKER] = count

    def _registered(self) -> Registered:
        if self._people.registered is None and self._institution.people.requires_semester_registration:
            self._gaps["Who is registered for the term was not read, although the settings ask for it."] = None
        return self._people.registered or {}

    # ----------------------------------------------------------------- everything else
    def _take(self, students: Students, staff: Staff) -> None:
        """Each row goes to the rule of its kind; a kind that the run does not speak about is left alone."""
        rules: dict[type, Callable[[Any], None]] = {
            EmneRett: students.right,
            ProgramRett: students.programme,
            KlasseMedlem: students.klasse,
            EvuDeltaker: students.evu,
            Rolle: staff.role,
        }
        counts = dict.fromkeys(rules, 0)
        sources = self._scope.sources
        for row in self._people.rows():
            kind = type(row)
            if kind in rules:
                if row.source in sources:
                    counts[kind] += 1
                    rules[kind](row)
            elif isinstance(row, RowProblem):
                self._take_problem(row)
            elif isinstance(row, UnknownPerson) and row.source in sources:
                (staff if row.source is SourceKind.PERSONROLLE else students).unknown(row)
                self._count(row.source)
        for kind, count in counts.items():
            self._count(_SOURCES[kind], count)

    def _count(self, source: SourceKind, rows: int = 1) -> None:
        self.rows_read[source] = self.rows_read.get(source, 0) + rows

    def _take_problem(self, problem: RowProblem) -> None:
        """A row that cannot be used; one that may be about anybody, anywhere, makes the read incomplete."""
        self._ledger.problem(problem)
        known: tuple[str, ...] = ()
        if isinstance(problem, UnreadableRow):
            known = problem.known
            self._ledger.decide(problem.source, problem.subject, "row-invalid", ("field", problem.field))
        if not known:
            self._gaps[problem.message] = None
        elif problem.source is SourceKind.BRUKER:
            self._unreadable.add(known[0])
