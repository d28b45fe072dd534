"""People of the invented university, short enough to read in a test; every one of them is invented."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from rosterflow.domain.decisions import Decision, RowProblem
from rosterflow.domain.fs.people import (
    EmneRett,
    EvuDeltaker,
    EvuKey,
    KlasseKey,
    KlasseMedlem,
    KullKey,
    PeopleRow,
    Person,
    Place,
    ProgramKey,
    ProgramRett,
    Rolle,
    UaKey,
)
from rosterflow.domain.fs.rows import EmneKey, Stedkode, UeKey
from rosterflow.domain.institution import Institution
from rosterflow.domain.mapping.people import PeopleSource, Step, explain_person, map_people
from rosterflow.domain.mapping.people_students import Registered
from rosterflow.domain.model import Key, Kind, SourceKind
from rosterflow.domain.rosters import STANDINGS, Member, Reason, Roster, WantedRoster, shelves
from rosterflow.domain.rosters import Place as Where
from rosterflow.domain.snapshot import Scope, Snapshot
from rosterflow.domain.windows import Semester
from tests.domain.fs_builders import (
    FAKULTET,
    H26,
    INF,
    NOW,
    evu,
    institution,
    klasse,
    kull,
    program,
    snapshot,
    ua,
    ue,
)

TODAY = date(2026, 9, 15)
STUDENT, TEACHER = "StudentEnrollment", "TeacherEnrollment"

STRUCTURE = snapshot(
    FAKULTET,
    INF,
    ue("INF"),
    ua(ue("INF"), "G1"),
    ua(ue("INF"), "G2"),
    program(),
    kull(),
    klasse("A"),
    evu(),
)
"""A faculty, an emne with its teaching and two groups, a programme with a kull and a klasse, and an EVU course."""

UE, UA1, UA2 = "UE_184_INF_1_2026_HØST_1", "UA_184_INF_1_2026_HØST_1_G1", "UA_184_INF_1_2026_HØST_1_G2"
KULL, KLASSE, EVU = "KULL_184_B-INF_2026_HØST", "KLASSE_184_B-INF_2026_HØST_A", "EVU_184_LED1_2026-1"
FACULTY, PROGRAM, EMNE = "184_12_0_0", "STUDIEPROGRAM_184_B-INF", "EMNE_184_INF_1"

INF_H26 = UeKey(EmneKey("INF", "1"), H26, 1)
G1, G2 = UaKey(INF_H26, "G1"), UaKey(INF_H26, "G2")
B_INF = ProgramKey("B-INF")
KULL_H26 = KullKey("B-INF", H26)
KLASSE_A = KlasseKey(KULL_H26, "A")
LED1 = EvuKey("LED1", "2026-1")
HAV = Stedkode("184", "12")


def person(number: str, login: str | None = None, **fields: Any) -> Person:
    """An invented person: number ``1`` is called Per1 Hav, with the login ``p1@fjord.example``."""
    known = {
        "feide_bruker": login or f"p{number}@fjord.example",
        "fornavn": f"Per{number}",
        "etternavn": "Hav",
        "epost": f"per{number}@fjord.example",
        "er_dod": False,
        "kan_overfores": True,
    }
    return Person(number, **{**known, **fields})


def right(number: str, *partier: str, at: UeKey = INF_H26, **fields: Any) -> EmneRett:
    return EmneRett(number, at, **{"partier": partier, "kan_overfores": True, **fields})


def studies(number: str, in_kull: KullKey | None = KULL_H26, **fields: Any) -> ProgramRett:
    known = {"studentstatus": "AKTIV", "gir_aktiv_studierett": True, "kan_overfores": True}
    return ProgramRett(number, "B-INF", in_kull, **{**known, **fields})


def in_klasse(number: str, **fields: Any) -> KlasseMedlem:
    return KlasseMedlem(number, KLASSE_A, **{"kan_overfores": True, **fields})


def takes_part(number: str, **fields: Any) -> EvuDeltaker:
    return EvuDeltaker(number, LED1, **{"kan_overfores": True, **fields})


def role(number: str, at: Place = INF_H26, code: str = "LÆRER", ims: str | None = "INSTRUCTOR", **fields: Any) -> Rolle:
    known = {"fra": None, "til": None, "er_aktiv": True, "er_fagperson": True, "kan_overfores": True}
    return Rolle(number, at, code, ims, **{**known, **fields})


# ---------------------------------------------------------------------- what Canvas confirmed
def member(number: str, **fields: str) -> Member:
    """What Canvas holds of an invented person."""
    known = {
        "login": f"p{number}@fjord.example",
        "name": f"Per{number} Hav",
        "sortable": f"Hav, Per{number}",
        "email": f"per{number}@fjord.example",
        "state": "active",
    }
    return tuple({**known, **fields}.values())


def user(number: str) -> str:
    return f"FS_184_{number}"


def enrolled(kind: Kind, sis_id: str, role: str, *numbers: str, state: str = "active") -> Roster:
    """A roster that Canvas confirmed."""
    what = Kind.ADMIN if kind is Kind.ACCOUNT else Kind.ENROLLMENT
    return Roster(what, Where(kind, sis_id), role, {user(number): STANDINGS[state] for number in numbers})


def in_section(*numbers: str, sis_id: str = UE, role: str = STUDENT) -> Roster:
    return enrolled(Kind.SECTION, sis_id, role, *numbers)


# ---------------------------------------------------------------------- mapping
def source(
    *rows: PeopleRow | RowProblem, gaps: Iterable[str] = (), registered: Registered | None = None, users: bool = True
) -> PeopleSource:
    """What a run read; people go to the users, everything else to the rows."""
    people = [row for row in rows if row.source is SourceKind.BRUKER]
    others = [row for row in rows if row.source is not SourceKind.BRUKER]
    return PeopleSource((lambda: people) if users else None, lambda: others, registered, tuple(gaps))


def _confirmed(rosters: Iterable[Roster], users: Mapping[str, Member]) -> dict[Key, Roster]:
    return {one.whole: one for one in (*rosters, *shelves(users))}


def people(
    *rows: PeopleRow | RowProblem,
    inst: Institution | None = None,
    scope: Scope = NOW,
    structure: Snapshot = STRUCTURE,
    confirmed: Iterable[Roster] = (),
    users: Mapping[str, Member] | None = None,
    read: PeopleSource | None = None,
    today: date = TODAY,
    since: Mapping[str, date] | None = None,
    numbers: Mapping[str, str] | None = None,
) -> Snapshot:
    """The snapshot of some people.

    :param users: what Canvas confirmed of users, by SIS id; ``numbers`` by which personlopenummer they were sent.
    """
    known, rows_read = _confirmed(confirmed, users or {}), read or source(*rows)
    inst = inst or institution()
    return map_people(inst, scope, structure, rows_read, known, today, since or {}, numbers=numbers or {})


def explained(number: str, *rows: PeopleRow | RowProblem, structure: Snapshot = STRUCTURE, **given: Any) -> list[Step]:
    """Every step of one person."""
    inst = given.pop("inst", None) or institution()
    known = _confirmed(given.pop("confirmed", ()), given.pop("users", {}))
    return [*explain_person(inst, NOW, structure, source(*rows, **given), known, TODAY, number)]


# ---------------------------------------------------------------------- looking at a snapshot
def roster(shot: Snapshot, kind: Kind, sis_id: str, as_role: str = STUDENT) -> WantedRoster | None:
    what = Kind.ADMIN if kind is Kind.ACCOUNT else Kind.ENROLLMENT
    return shot.rosters.get(Key(what, f"{kind} {sis_id} as {as_role}"))


def wanted(shot: Snapshot, kind: Kind, sis_id: str, as_role: str = STUDENT) -> WantedRoster:
    """A roster that the snapshot must have."""
    found = roster(shot, kind, sis_id, as_role)
    assert found is not None
    return found


def there(shot: Snapshot, sis_id: str, as_role: str = STUDENT, kind: Kind = Kind.SECTION) -> list[str]:
    """Who is wanted at a place, by personlopenummer."""
    found = roster(shot, kind, sis_id, as_role)
    return sorted(one.removeprefix("FS_184_") for one in found.roster.members) if found else []


def left(shot: Snapshot, sis_id: str, as_role: str = STUDENT, kind: Kind = Kind.SECTION) -> dict[str, Reason]:
    """Why somebody is not at a place any more, by personlopenummer."""
    found = roster(shot, kind, sis_id, as_role)
    return {one.removeprefix("FS_184_"): reason for one, reason in found.leaving.items()} if found else {}


def stays(shot: Snapshot, sis_id: str, as_role: str = STUDENT, kind: Kind = Kind.SECTION) -> list[str]:
    """Of whom nothing certain is known at a place, by personlopenummer."""
    found = roster(shot, kind, sis_id, as_role)
    return sorted(one.removeprefix("FS_184_") for one in found.staying) if found else []


def wanted_users(shot: Snapshot) -> dict[str, Member]:
    """The users that the snapshot wants, by SIS id."""
    shelved = (one.roster.members for key, one in shot.rosters.items() if key.kind is Kind.USER)
    return {user: member for members in shelved for user, member in members.items()}


def users_leaving(shot: Snapshot) -> dict[str, Reason]:
    shelved = (one.leaving for key, one in shot.rosters.items() if key.kind is Kind.USER)
    return {user: reason for leaving in shelved for user, reason in leaving.items()}


def users_staying(shot: Snapshot) -> list[str]:
    return sorted(user for key, one in shot.rosters.items() if key.kind is Kind.USER for user in one.staying)


def decided(shot: Snapshot, subject: str, source: SourceKind | None = None) -> list[Decision]:
    """The decisions on a person, a place or a role."""
    return [
        one
        for one in shot.decisions
        if one.subject == subject and one not in STRUCTURE.decisions and source in (None, one.source)
    ]


def rules(shot: Snapshot, subject: str) -> list[tuple[str, bool]]:
    return [(one.rule, one.allowed) for one in decided(shot, subject)]


def term(semester: Semester, *numbers: str) -> dict[Semester, frozenset[str]]:
    """A table of those registered for one term."""
    return {semester: frozenset(numbers)}
