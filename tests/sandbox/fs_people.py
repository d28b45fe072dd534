"""The demo university's people and where they are, row by row, with FS over them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.fs import keys, people_keys
from sandbox.university.model import Semester, Terminkode
from sandbox.university.people import Personrolle
from tests.sandbox.fs_client import FsClient

FS = FsClient("demo")
UNIVERSITY = FS.world.university
TODAY = UNIVERSITY.today
HOST_2026 = Semester(2026, Terminkode.HOST)
AUTUMN = keys.TERMIN.node_id(184, HOST_2026)
TEACHING = [ue for emne in UNIVERSITY.emner for ue in emne.undervisningsenheter]
ACTIVITIES = [ua for ue in TEACHING for ua in ue.aktiviteter]
KULL = [kull for program in UNIVERSITY.studieprogram for kull in program.kull]
KLASSER = [klasse for kull in KULL for klasse in kull.klasser]
RIGHTS = [row for ue in TEACHING for row in ue.studieretter]
PLACEMENTS = [row for ua in ACTIVITIES for row in ua.plasseringer]
MEMBERS = [row for klasse in KLASSER for row in klasse.medlemmer]
PROGRAMME_RIGHTS = [row for program in UNIVERSITY.studieprogram for row in program.studieretter]
PARTICIPATIONS = [row for kurs in UNIVERSITY.evukurs for row in kurs.deltakelser]

TRE = next(ue for ue in TEACHING if ue.emne.kode == "TRE300")
SEM_1 = next(ua for ua in TRE.aktiviteter if ua.kode == "SEM-1")
STUDENT = RIGHTS[0].student
KLASSE = next(klasse for klasse in KLASSER if klasse.er_aktiv and klasse.personroller)
PROGRAM = UNIVERSITY.studieprogram[0]
COURSE = UNIVERSITY.evukurs[0]
TEACHER = next(role for ue in TEACHING for role in ue.personroller).fagperson


def quoted(key: keys.Key[Any], row: Any) -> str:
    """A list of one row's id, as GraphQL writes it."""
    return f'["{key.node_id(184, row)}"]'


def found(root: str, given: str) -> list[str]:
    """The ids of all rows that a root answers under a filter."""
    query = f"""query($after: String) {{ {root}(first: 1000, after: $after, filter: {{{given}}}) {{
        nodes {{ id }} pageInfo {{ endCursor hasNextPage }} }} }}"""
    return [node["id"] for page in FS.walk(query, root) for node in page]


def owned(root: str, given: str) -> list[str]:
    """The same of a root that is asked by the owner."""
    return found(root, f'eierOrganisasjonskode: "184", {given}')


def ids(key: keys.Key[Any], rows: Iterable[Any]) -> list[str]:
    """The ids of rows, sorted."""
    return sorted(key.node_id(184, row) for row in rows)


PLACES: dict[str, tuple[keys.Key[Any], Iterable[Any]]] = {
    "emneroller": (people_keys.EMNEROLLE, UNIVERSITY.emner),
    "undervisningsenhetsroller": (people_keys.UNDERVISNINGSENHETSROLLE, TEACHING),
    "undervisningsaktivitetsroller": (people_keys.UNDERVISNINGSAKTIVITETSROLLE, ACTIVITIES),
    "studieprogramroller": (people_keys.STUDIEPROGRAMROLLE, UNIVERSITY.studieprogram),
    "kullroller": (people_keys.KULLROLLE, KULL),
    "klasseroller": (people_keys.KLASSEROLLE, KLASSER),
    "evuKursroller": (people_keys.EVU_KURSROLLE, UNIVERSITY.evukurs),
}


def roles(root: str) -> list[Personrolle]:
    """Every role that a root answers when nothing is filtered."""
    return [role for place in PLACES[root][1] for role in place.personroller]
