"""The university as FS knows it: units, emner, teaching, programmes, further education and terms.

Names are FS's own; people and what they do are in :mod:`sandbox.university.people`. Rows are plain objects because a
day of change edits them in place; the values they hold are frozen. Sources: the FS reference, section 4 (members) and
section 13.9 (awkward data).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.university.people import (
        EmneStudierett,
        EvuKursdeltakelse,
        Klassemedlemskap,
        Person,
        Personrolle,
        ProgramStudierett,
        Rolle,
        Undervisningspartiplassering,
    )


class Terminkode(Enum):
    """A term's code as FS writes it in output; its name is how FS wants it in enum input."""

    VAR = "VÅR"
    SOM = "SOM"
    HOST = "HØST"


_FIRST_MONTH = {Terminkode.VAR: 2, Terminkode.SOM: 7, Terminkode.HOST: 9}
_ORDER = {Terminkode.VAR: 0, Terminkode.SOM: 1, Terminkode.HOST: 2}


@dataclass(frozen=True, slots=True)
class Semester:
    """One term of one year, ordered in time."""

    arstall: int
    kode: Terminkode

    def __lt__(self, other: Semester) -> bool:
        """Tell whether this term lies before the other."""
        return self._position() < other._position()

    def __le__(self, other: Semester) -> bool:
        """Tell whether this term is the other or lies before it."""
        return self._position() <= other._position()

    def _position(self) -> tuple[int, int]:
        return self.arstall, _ORDER[self.kode]

    def step(self, count: int) -> Semester:
        """Return the term `count` steps on (negative: back), over HØST and VÅR alone.

        SOM is not counted: from SOM one step on is the HØST, one step back the VÅR of its year.
        """
        if self.kode is Terminkode.SOM:
            if count == 0:
                return self
            half_years = self.arstall * 2 + (count if count > 0 else count + 1)
        else:
            half_years = self.arstall * 2 + (self.kode is Terminkode.HOST) + count
        year, autumn = divmod(half_years, 2)
        return Semester(year, Terminkode.HOST if autumn else Terminkode.VAR)


@dataclass(frozen=True, slots=True)
class Navn:
    """A name in bokmål, nynorsk and English; each may be missing."""

    nb: str | None
    nn: str | None = None
    en: str | None = None


@dataclass(frozen=True, slots=True)
class Periode:
    """A period of days, both ends within it; an open end is None."""

    fra: date | None
    til: date | None


@dataclass(slots=True)
class Termin:
    """A row of FS's term list with the days its teaching lies between, where FS knows them."""

    semester: Semester
    studiesemester: Periode | None


class Niva(Enum):
    """The level of a unit (Organisasjonsniva)."""

    INSTITUSJON = "UKJENT"
    FAKULTET = "FAKULTET"
    INSTITUTT = "INSTITUTT"
    GRUPPE = "ENHET"


@dataclass(slots=True, eq=False)
class Organisasjonsenhet:
    """A unit. Its numbers say its place; 0 means that the level is not used."""

    fakultetsnummer: int
    instituttnummer: int
    gruppenummer: int
    navn: Navn
    niva: Niva
    parent: Organisasjonsenhet | None
    er_aktiv: bool = True
    skal_eksporteres: bool = True
    lms_romkode: str | None = None
    personroller: list[Personrolle] = field(default_factory=list)

    @property
    def stedkode(self) -> str:
        """Return the place within the institution, such as `12_1_0`."""
        return f"{self.fakultetsnummer}_{self.instituttnummer}_{self.gruppenummer}"


@dataclass(slots=True, eq=False)
class Emne:
    """One version of an emne; `kode` and `versjonskode` identify it."""

    kode: str
    versjonskode: str
    navn: Navn
    studieansvarlig: Organisasjonsenhet | None
    administrativt_ansvarlig: Organisasjonsenhet | None = None
    tjenestenummer: str | None = "1"
    undervisningssprak: tuple[str, ...] = ("nob",)
    siste_termin: Semester | None = None
    undervisningsenheter: list[Undervisningsenhet] = field(default_factory=list)
    personroller: list[Personrolle] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Undervisningsenhet:
    """An emne taught in a term; `terminnummer` says which term of a course that lasts several."""

    emne: Emne
    semester: Semester
    terminnummer: int = 1
    siste_termin: Semester | None = None
    lms_romkode: str | None = None
    skal_eksporteres: bool = True
    folger: Emne | None = None
    aktiviteter: list[Undervisningsaktivitet] = field(default_factory=list)
    studieretter: list[EmneStudierett] = field(default_factory=list)
    personroller: list[Personrolle] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Undervisningsaktivitet:
    """An activity or a group under an undervisningsenhet; they form a tree (`parent` None is a root)."""

    enhet: Undervisningsenhet
    kode: str
    navn: Navn
    form: str
    parent: Undervisningsaktivitet | None = None
    partinummer: str | None = None
    lms_romkode: str | None = None
    skal_eksporteres: bool = True
    plasseringer: list[Undervisningspartiplassering] = field(default_factory=list)
    personroller: list[Personrolle] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Studieprogram:
    """A study programme with its kull. It has no service number of its own. `stillinger` are the roles that somebody
    is to hold on it, and when.
    """

    kode: str
    navn: Navn
    studieansvarlig: Organisasjonsenhet | None
    er_aktiv: bool = True
    skal_eksporteres: bool = True
    lms_romkode: str | None = None
    stillinger: tuple[tuple[Rolle, Periode], ...] = ()
    kull: list[Kull] = field(default_factory=list)
    studieretter: list[ProgramStudierett] = field(default_factory=list)
    personroller: list[Personrolle] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Kull:
    """Those who began a programme in a term. FS names it in Norwegian (always) and English."""

    studieprogram: Studieprogram
    semester: Semester
    navn_no: str
    navn_en: str | None = None
    er_aktiv: bool = True
    skal_eksporteres: bool = True
    lms_romkode: str | None = None
    tjenestenummer: str | None = "1"
    klasser: list[Klasse] = field(default_factory=list)
    personroller: list[Personrolle] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Klasse:
    """A class of a kull; its code is unique in its kull only. FS gives its name without a language."""

    kull: Kull
    kode: str
    navn: str | None
    er_aktiv: bool = True
    skal_eksporteres: bool = True
    lms_romkode: str | None = None
    medlemmer: list[Klassemedlemskap] = field(default_factory=list)
    personroller: list[Personrolle] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class EvuKursaktivitet:
    """An activity of an EVU course."""

    kode: str
    navn: str | None
    lms_romkode: str | None = None


@dataclass(slots=True, eq=False)
class EvuKurs:
    """A course of further education; `kode` and `tidsangivelse` identify it."""

    kode: str
    tidsangivelse: str
    navn: Navn
    periode: Periode
    enhet: Organisasjonsenhet | None
    er_aktiv: bool = True
    skal_eksporteres: bool = True
    lms_romkode: str | None = None
    tjenestenummer: str | None = "1"
    aktiviteter: tuple[EvuKursaktivitet, ...] = ()
    folger: EvuKurs | None = None
    deltakelser: list[EvuKursdeltakelse] = field(default_factory=list)
    personroller: list[Personrolle] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class University:
    """One institution's structure in FS, around its current term.

    `revision` rises with every change, so that whoever holds a sorted copy knows when it is stale; `lock` is held
    while rows are changed or copied. `days` counts the days of change played so far.
    """

    institusjonsnummer: int
    navn: Navn
    semester: Semester
    seed: int
    terminer: list[Termin] = field(default_factory=list)
    enheter: list[Organisasjonsenhet] = field(default_factory=list)
    emner: list[Emne] = field(default_factory=list)
    studieprogram: list[Studieprogram] = field(default_factory=list)
    evukurs: list[EvuKurs] = field(default_factory=list)
    personer: list[Person] = field(default_factory=list)
    revision: int = 0
    days: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def root(self) -> Organisasjonsenhet:
        """Return the institution's own unit, the top of the tree."""
        return self.enheter[0]

    @property
    def today(self) -> date:
        """Return the day FS reckons by: shortly into the term's teaching, and a day later for every day played."""
        return date(self.semester.arstall, _FIRST_MONTH[self.semester.kode], 1) + timedelta(days=self.days)

    def counts(self) -> dict[str, int]:
        """Return how many rows of each kind there are."""
        teaching = [ue for emne in self.emner for ue in emne.undervisningsenheter]
        activities = [ua for ue in teaching for ua in ue.aktiviteter]
        kull = [kull for program in self.studieprogram for kull in program.kull]
        klasser = [klasse for each in kull for klasse in each.klasser]
        places = (self.enheter, self.emner, teaching, activities, self.studieprogram, kull, klasser, self.evukurs)
        return {
            "organisasjonsenheter": len(self.enheter),
            "emner": len(self.emner),
            "undervisningsenheter": len(teaching),
            "undervisningsaktiviteter": len(activities),
            "studieprogram": len(self.studieprogram),
            "kull": len(kull),
            "klasser": len(klasser),
            "evukurs": len(self.evukurs),
            "terminer": len(self.terminer),
            "personer": len(self.personer),
            "emneStudieretter": sum(len(ue.studieretter) for ue in teaching),
            "undervisningspartiplasseringer": sum(len(ua.plasseringer) for ua in activities),
            "programStudieretter": sum(len(program.studieretter) for program in self.studieprogram),
            "klassemedlemskap": sum(len(klasse.medlemmer) for klasse in klasser),
            "evuKursdeltakelser": sum(len(kurs.deltakelser) for kurs in self.evukurs),
            "personroller": sum(len(place.personroller) for rows in places for place in rows),
        }
