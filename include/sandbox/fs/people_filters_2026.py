"""The filters of the 2026 dialect for people: for each kind of row those that concern what the row is about, which are
asked once of each owner, and those that concern the row itself.

Sources: FS reference, sections 4.7 to 4.9; fs-2026-shapes, filter inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sandbox.fs import keys, people_keys
from sandbox.fs.filters_2026 import Filter, Filters, Test, among, overlaps, semester_of, term_ids
from sandbox.university.model import Semester, Terminkode
from sandbox.university.people import AktivStatus

if TYPE_CHECKING:
    from sandbox.fs.index import Index
    from sandbox.fs.keys import Key
    from sandbox.university.model import Emne
    from sandbox.university.people import Personrolle, ProgramStudierett


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of rows: its name in the index, the filters of what a row is about and those of the row."""

    rows: str
    about: Filters
    own: Filters = field(default_factory=dict)


def of(path: str, make: Filter) -> Filter:
    """Ask a filter of an attribute of the row; a row without it does not pass."""
    get = attrgetter(path)

    def made(value: Any, index: Index) -> Test:
        test = make(value, index)
        return lambda row: (part := get(row)) is not None and test(part)

    return made


def ids(key: Key[Any]) -> Filter:
    """A row is one of those named by id."""

    def make(values: list[str], index: Index) -> Test:
        wanted = {keys.decode_id(value, key) for value in values}
        return lambda row: key.columns(index.institution, row) in wanted

    return make


def term_codes(betegnelse: str = "betegnelse") -> Filter:
    """A row's term is one of those given by year and code; FS writes the summer in two ways."""

    def make(values: list[Mapping[str, Any] | None], _index: Index) -> Test:
        wanted = {_semester(value, betegnelse) for value in values if value is not None}
        return lambda row: row.semester in wanted

    return make


def _semester(value: Mapping[str, Any], betegnelse: str) -> Semester:
    if value[betegnelse] == "SOMMER":
        return Semester(value["arstall"], Terminkode.SOM)
    return semester_of(value, betegnelse)


def _emne_is_exported(value: bool, _index: Index) -> Test:
    """FS exports teaching, not emner: an emne counts as exported with any of its teaching."""

    def test(emne: Emne) -> bool:
        return any(ue.skal_eksporteres for ue in emne.undervisningsenheter) is value

    return test


def has_status(value: list[str] | str, index: Index) -> Test:
    """A row's period is, on FS's day, one of these (AktivStatus)."""
    return lambda row: AktivStatus.of(row.periode, index.today).value in value


def is_active(value: list[bool | None] | bool, index: Index) -> Test:
    """Whether FS's day lies in a row's period is as asked."""
    allowed = value if isinstance(value, list) else [value]

    def test(row: Personrolle | ProgramStudierett) -> bool:
        return (AktivStatus.of(row.periode, index.today) is AktivStatus.AKTIV) in allowed

    return test


_STUDENT = ids(people_keys.STUDENT)
_PERSON = ids(people_keys.PERSON)
_UE: Filters = {
    "emner": of("emne", ids(keys.EMNE)),
    "terminer": term_ids,
    "tjenestenummerForLms": among("emne.tjenestenummer"),
    "undervisningsenhetSkalEksporteresTilLms": among("skal_eksporteres"),
}
_UA: Filters = {
    **{name: of("enhet", filter_) for name, filter_ in _UE.items()},
    "undervisningsaktivitetSkalEksporteresTilLms": among("skal_eksporteres"),
}
_PROGRAM: Filters = {
    "studieprogramErAktiv": among("er_aktiv"),
    "studieprogramSkalEksporteresTilLms": among("skal_eksporteres"),
    "studieprogrammer": ids(keys.STUDIEPROGRAM),
}
_KULL: Filters = {
    **{name: of("studieprogram", filter_) for name, filter_ in _PROGRAM.items()},
    "kull": ids(keys.KULL),
    "kullErAktiv": among("er_aktiv"),
    "kullSkalEksporteresTilLms": among("skal_eksporteres"),
    "tjenestenummerForLms": among("tjenestenummer"),
}
_KLASSE: Filters = {
    **{name: of("kull", filter_) for name, filter_ in _KULL.items()},
    "klasser": ids(keys.KLASSE),
    "klassebetegnelser": of("kode", ids(keys.KLASSEBETEGNELSE)),
    "klasseErAktiv": among("er_aktiv"),
    "klasseSkalEksporteresTilLms": among("skal_eksporteres"),
}
_EVU: Filters = {
    "evuKurs": ids(keys.EVU_KURS),
    "evuKursErAktivInnenforPeriode": overlaps,
    "evuKursSkalEksporteresTilLms": among("skal_eksporteres"),
    "tjenestenummerForLms": among("tjenestenummer"),
}
_EMNE: Filters = {
    "emner": ids(keys.EMNE),
    "emneSkalEksporteresTilLms": _emne_is_exported,
    "tjenestenummerForLms": among("tjenestenummer"),
}

_RIGHT: Filters = {
    "aktivStatus": has_status,
    "erAktiv": is_active,
    "erAktivInnenforPeriode": overlaps,
    "kullTjenestenummerForLms": of("kull", among("tjenestenummer")),
    "kullterminer": of("kull", term_ids),
    "kullterminkoder": of("kull", term_codes("termin")),
    "personProfiler": of("student.person", _PERSON),
    "studenterVedLarested": of("student", _STUDENT),
    "studentstatuser": of("status", ids(people_keys.STUDENTSTATUS)),
    "studentstatuskoder": among("status.kode"),
}
_ROLE: Filters = {
    "aktivInnenforPeriode": overlaps,
    "fsRoller": of("rolle", ids(people_keys.FS_ROLLE)),
    "imsRoller": among("rolle.ims_rolle"),
    "personProfiler": of("fagperson.person", _PERSON),
}

EMNE_STUDIERETTER = Kind(
    "emneretter", {**_UE, "undervisningsenheter": ids(keys.UNDERVISNINGSENHET)}, {"studenter": of("student", _STUDENT)}
)
PLASSERINGER = Kind(
    "plasseringer",
    {
        **_UA,
        "emneSkalEksporteresTilLms": of("enhet.emne", _emne_is_exported),
        "terminkoder": of("enhet", term_codes()),
        "undervisningsaktiviteter": ids(keys.UNDERVISNINGSAKTIVITET),
    },
    {"personProfiler": of("student.person", _PERSON), "studenterVedLarested": of("student", _STUDENT)},
)
PROGRAM_STUDIERETTER = Kind("programretter", {**_PROGRAM, "studieprogramkoder": among("kode")}, _RIGHT)
KLASSEMEDLEMSKAP = Kind(
    "medlemskap",
    _KLASSE,
    {
        "erAktiv": among("er_aktiv"),
        "personProfiler": of("studierett.student.person", _PERSON),
        "programStudieretter": of("studierett", ids(people_keys.PROGRAM_STUDIERETT)),
        "studenter": of("studierett.student", _STUDENT),
    },
)
EVU_KURSDELTAKELSER = Kind(
    "deltakelser",
    _EVU,
    {"deltakere": of("deltaker", ids(people_keys.DELTAKER)), "personProfiler": of("deltaker.person", _PERSON)},
)
EMNEROLLER = Kind("emneroller", _EMNE, _ROLE)
UNDERVISNINGSENHETSROLLER = Kind("undervisningsenhetsroller", _UE, _ROLE)
UNDERVISNINGSAKTIVITETSROLLER = Kind("undervisningsaktivitetsroller", _UA, _ROLE)
STUDIEPROGRAMROLLER = Kind("studieprogramroller", {**_PROGRAM, "studieprogram": ids(keys.STUDIEPROGRAM)}, _ROLE)
KULLROLLER = Kind("kullroller", _KULL, _ROLE)
KLASSEROLLER = Kind("klasseroller", _KLASSE, _ROLE)
EVU_KURSROLLER = Kind("evukursroller", _EVU, _ROLE)

PERSONROLLER: Filters = {"erAktiv": is_active, "aktivpersonrolle": is_active, "rollekoder": among("rolle.kode")}
"""Of the roles below a place; whether a role may be published is not known."""

RIGHTS_OF_STUDENT: Filters = {
    **{name: of("enhet", _UE[name]) for name in ("emner", "terminer")},
    "terminnumre": lambda values, _index: lambda row: str(row.enhet.terminnummer) in values,
}
PROGRAMMES_OF_STUDENT: Filters = {
    **_RIGHT,
    **{name: of("program", filter_) for name, filter_ in PROGRAM_STUDIERETTER.about.items()},
}
