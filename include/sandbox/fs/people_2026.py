"""The resolvers of people in the 2026 dialect.

A person whom FS does not show is null wherever a row leads there, without an error: the row says that somebody is there
and not who (FS reference, section 2.4).
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sandbox.fs import people_filters_2026 as filters
from sandbox.fs import people_keys as keys
from sandbox.fs.people_connections_2026 import (
    RIGHT_ORDERS,
    people_root,
    programmes_of_person,
    programmes_of_student,
    rights_of_student,
    rights_to_programme,
    roles_below,
    roles_page,
    users,
)
from sandbox.fs.values import Resolver, Resolvers, attribute, constant, itself, names, of_key, period, text
from sandbox.university.people import AktivStatus

if TYPE_CHECKING:
    from sandbox.fs.keys import Key
    from sandbox.fs.paging import Info
    from sandbox.university.model import University


PERIODS = (
    "Emnerolle",
    "Undervisningsenhetsrolle",
    "Undervisningsaktivitetrolle",
    "Studieprogramrolle",
    "Kullrolle",
    "Klasserolle",
    "Kursrolle",
    "Organisasjonsenhetsrolle",
)
"""What types of periods are named after; two of the names are not those of the roles."""


def _shown(path: str, person_path: str = "") -> Resolver:
    """Resolve to an attribute that is a person, or has one, unless FS does not show that person."""
    get = attrgetter(path)
    person_of = attrgetter(person_path or path)
    return lambda row, _info: None if person_of(row).er_skjult else get(row)


def _status(row: Any, info: Info) -> str:
    return AktivStatus.of(row.periode, info.context.index.today).value


def _is_active(row: Any, info: Info) -> bool:
    return AktivStatus.of(row.periode, info.context.index.today) is AktivStatus.AKTIV


def _university(_row: object, info: Info) -> University:
    return info.context.index.university


def resolvers() -> Resolvers:
    """Return the resolvers of people, by type and member."""
    return {**_persons(), **_identities(), **_teaching(), **_programmes(), **_roles(), **_role_list()}


def query() -> dict[str, Resolver]:
    """Return the resolvers of the roots of people."""
    return {
        "brukere": users,
        "emneStudieretter": people_root(filters.EMNE_STUDIERETTER),
        "undervisningspartiplasseringer": people_root(filters.PLASSERINGER),
        "klassemedlemskap": people_root(filters.KLASSEMEDLEMSKAP),
        "programStudieretter": people_root(filters.PROGRAM_STUDIERETTER, RIGHT_ORDERS),
        "evuKursdeltakelser": people_root(filters.EVU_KURSDELTAKELSER),
        "emneroller": people_root(filters.EMNEROLLER),
        "undervisningsenhetsroller": people_root(filters.UNDERVISNINGSENHETSROLLER),
        "undervisningsaktivitetsroller": people_root(filters.UNDERVISNINGSAKTIVITETSROLLER),
        "studieprogramroller": people_root(filters.STUDIEPROGRAMROLLER),
        "kullroller": people_root(filters.KULLROLLER),
        "klasseroller": people_root(filters.KLASSEROLLER),
        "evuKursroller": people_root(filters.EVU_KURSROLLER),
    }


def members() -> Resolvers:
    """Return the members that structure has for people, by type and member."""
    return {
        "Organisasjonsenhet": {"personroller": roles_page(keys.ENHETSROLLE)},
        "Emne": {"personroller": roles_below},
        "Undervisningsenhet": {"personroller": roles_page(keys.UNDERVISNINGSENHETSROLLE)},
        "Undervisningsaktivitet": {"personroller": roles_below},
        "Studieprogram": {"personroller": roles_below, "programStudieretter": rights_to_programme},
        "Kull": {"personroller": roles_below},
        "Klasse": {"personroller": roles_page(keys.KLASSEROLLE)},
    }


def _persons() -> Resolvers:
    return {
        "PersonProfil": {
            "id": of_key(keys.PERSON),
            "personlopenummer": text("lopenummer"),
            "feideBruker": attribute("feide_bruker"),
            "navn": itself,
            "institusjonsEpost": attribute("epost"),
            "arbeidsEpost": constant(None),
            "privatEpost": constant(None),
            "erDod": attribute("er_dod"),
            "kanOverforesTilLms": attribute("kan_overfores"),
            "student": attribute("student"),
            "fagperson": attribute("fagperson"),
            "deltaker": attribute("deltaker"),
            "programStudieretter": programmes_of_person,
        },
        "Personnavn": {"fornavn": attribute("fornavn"), "etternavn": attribute("etternavn")},
    }


def _identities() -> Resolvers:
    return {
        "StudentVedLarested": {
            "id": of_key(keys.STUDENT),
            "studentnummer": text("person.lopenummer"),
            "feideBruker": attribute("feide_bruker"),
            "kanOverforesTilLms": attribute("person.kan_overfores"),
            "personProfil": attribute("person"),
            "emneStudieretter": rights_of_student,
            "programStudieretter": programmes_of_student,
        },
        "FagpersonVedLarested": {
            "id": of_key(keys.FAGPERSON),
            "aktiv": attribute("er_aktiv"),
            "erAktiv": attribute("er_aktiv"),
            "feideBruker": attribute("feide_bruker"),
            "kanOverforesTilLms": attribute("person.kan_overfores"),
            "navn": attribute("person"),
            "personProfil": attribute("person"),
        },
        "DeltakerVedLarested": {
            "id": of_key(keys.DELTAKER),
            "deltakernummer": text("nummer"),
            "personProfil": attribute("person"),
        },
    }


def _teaching() -> Resolvers:
    return {
        "EmneStudierett": {
            "id": of_key(keys.EMNE_STUDIERETT),
            "emne": attribute("enhet.emne"),
            "student": _shown("student", "student.person"),
            "termin": attribute("enhet.semester"),
            "terminnummer": attribute("enhet.terminnummer"),
            "undervisningspartiPlasseringer": attribute("plasseringer"),
        },
        "Undervisningspartiplassering": {
            "id": of_key(keys.PLASSERING),
            "personProfil": _shown("student.person"),
            "student": _shown("student", "student.person"),
            "undervisningsaktivitet": attribute("aktivitet"),
        },
        "EvuKursdeltakelse": {
            "id": of_key(keys.EVU_KURSDELTAKELSE),
            "deltaker": _shown("deltaker", "deltaker.person"),
            "kurs": attribute("kurs"),
            "personProfil": _shown("deltaker.person"),
        },
    }


def _programmes() -> Resolvers:
    return {
        "ProgramStudierett": {
            "id": of_key(keys.PROGRAM_STUDIERETT),
            "kull": attribute("kull"),
            "personProfil": _shown("student.person"),
            "student": _shown("student", "student.person"),
            "studentstatus": attribute("status"),
            "studieprogram": attribute("program"),
        },
        "Studentstatus": {
            "id": of_key(keys.STUDENTSTATUS),
            "girAktivStudierett": attribute("gir_aktiv_studierett"),
            "kode": attribute("kode"),
            "navnAlleSprak": attribute("navn"),
        },
        "StudentstatusnavnAlleSprak": names(nb="nb", nn="nn", en="en"),
        "Klassemedlemskap": {
            "id": of_key(keys.KLASSEMEDLEMSKAP),
            "erAktiv": attribute("er_aktiv"),
            "klasse": attribute("klasse"),
            "programStudierett": attribute("studierett"),
            "studentVedLarested": _shown("studierett.student", "studierett.student.person"),
        },
    }


def _role(key: Key[Any], place: str, *without: str) -> dict[str, Resolver]:
    """The members of one of the kinds of roles, which differ a little in what they have."""
    every: dict[str, Resolver] = {
        "id": of_key(key),
        "aktivStatus": _status,
        "erAktiv": _is_active,
        "fagperson": _shown("fagperson", "fagperson.person"),
        "fsRolle": attribute("rolle"),
        "gyldighetsperiode": attribute("periode"),
        "personProfil": _shown("fagperson.person"),
        place: attribute("sted"),
    }
    return {name: resolve for name, resolve in every.items() if name not in without}


def _roles() -> Resolvers:
    return {
        "Emnerolle": _role(keys.EMNEROLLE, "emne", "aktivStatus"),
        "Undervisningsenhetsrolle": _role(keys.UNDERVISNINGSENHETSROLLE, "undervisningsenhet"),
        "Undervisningsaktivitetsrolle": _role(keys.UNDERVISNINGSAKTIVITETSROLLE, "undervisningsaktivitet"),
        "Studieprogramrolle": _role(keys.STUDIEPROGRAMROLLE, "studieprogram", "aktivStatus"),
        "Kullrolle": _role(keys.KULLROLLE, "kull", "erAktiv"),
        "Klasserolle": _role(keys.KLASSEROLLE, "klasse"),
        "EvuKursrolle": _role(keys.EVU_KURSROLLE, "kurs"),
        "Organisasjonsenhetsrolle": {
            **_role(keys.ENHETSROLLE, "organisasjonsenhet", "erAktiv"),
            "aktiv": _is_active,
            "organisasjon": _university,
        },
        **{f"{name}Gyldighetsperiode": period() for name in PERIODS},
    }


def _role_list() -> Resolvers:
    return {
        "FsRolle": {
            "id": of_key(keys.FS_ROLLE),
            "erAktiv": constant(True),
            "imsRolle": attribute("ims_rolle"),
            "kode": attribute("kode"),
            "lmsKortnavnAlleSprak": itself,
            "lmsNavnAlleSprak": itself,
            "navnAlleSprak": attribute("navn"),
        },
        "LmsNavnAlleSprak": {"und": attribute("lms_navn")},
        "LmsKortnavnAlleSprak": {"und": lambda role, _info: role.lms_navn[:8]},
        "RollenavnAlleSprak": names(nb="nb", nn="nn", en="en"),
    }
