"""FS's rows as typed values: what a reader of FS hands to the mapping, whatever the dialect.

Fields have FS's own names (FS reference §4). Codes are trimmed and in Unicode's composed form; names are as FS wrote
them. ``subject`` is the row's natural key in FS's words, used in decisions and problems.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, NamedTuple

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.errors import Code
from rosterflow.domain.model import SourceKind
from rosterflow.domain.windows import Semester


class Navn(NamedTuple):
    """A name in bokmål, nynorsk, English, or without a language; each may be missing."""

    nb: str | None = None
    nn: str | None = None
    en: str | None = None
    und: str | None = None


class Stedkode(NamedTuple):
    """The place of a unit: numbers without leading zeros, ``0`` for a level that is not used.

    ``organisasjon`` is empty when FS did not say it; the mapping takes the institution's own number then.
    """

    organisasjon: str
    fakultet: str = "0"
    institutt: str = "0"
    gruppe: str = "0"

    def above(self) -> Stedkode | None:
        """The place one level up by the numbers, ``None`` above an institution."""
        if self.gruppe != "0":
            return self._replace(gruppe="0")
        if self.institutt != "0":
            return self._replace(institutt="0")
        if self.fakultet != "0":
            return self._replace(fakultet="0")
        return None


class EmneKey(NamedTuple):
    """What identifies an emne."""

    kode: str
    versjonskode: str


class UeKey(NamedTuple):
    """What identifies an undervisningsenhet; FS has no shorter key (FS reference §7.14)."""

    emne: EmneKey
    semester: Semester
    terminnummer: int

    def __str__(self) -> str:
        (kode, versjon), (arstall, betegnelse), nummer = self
        return f"{kode} {versjon} {arstall} {betegnelse.kode} {nummer}"


@dataclass(frozen=True, slots=True)
class Termin:
    """A term with the first and last day of its teaching, where FS has them."""

    source: ClassVar[SourceKind] = SourceKind.TERMIN
    semester: Semester
    fra_dato: date | None = None
    til_dato: date | None = None

    @property
    def subject(self) -> str:
        """``2026 HØST``."""
        return f"{self.semester.arstall} {self.semester.betegnelse.kode}"


@dataclass(frozen=True, slots=True)
class Unit:
    """An organisasjonsenhet; ``parent`` is ``None`` when FS, or its dialect, does not say it."""

    source: ClassVar[SourceKind] = SourceKind.ORGANISASJONSENHET
    sted: Stedkode
    navn: Navn
    parent: Stedkode | None = None
    skal_eksporteres_til_lms: bool = True
    er_aktiv: bool = True

    @property
    def subject(self) -> str:
        """``184 12 1 0``."""
        return " ".join(self.sted).strip()


@dataclass(frozen=True, slots=True)
class Emne:
    """One version of an emne.

    :param fra_undervisning: whether it came with its teaching (operation ``undervisning``) or alone (``emner``).
    """

    source: ClassVar[SourceKind] = SourceKind.EMNE
    key: EmneKey
    navn: Navn
    studieansvarlig: Stedkode | None = None
    administrativt_ansvarlig: Stedkode | None = None
    tjenestenummer_for_lms: str | None = None
    fra_undervisning: bool = False

    @property
    def subject(self) -> str:
        """``INF-1100 1``."""
        return " ".join(self.key)


@dataclass(frozen=True, slots=True)
class Undervisningsenhet:
    """An emne taught in a term.

    :param siste_termin: the last term of a course over several, where FS says it.
    :param undervisningen_folger: kode of the emne whose teaching this one follows.
    """

    source: ClassVar[SourceKind] = SourceKind.UNDERVISNINGSENHET
    key: UeKey
    siste_termin: Semester | None = None
    undervisningen_folger: str | None = None
    skal_eksporteres_til_lms: bool = True

    @property
    def subject(self) -> str:
        """``INF-1100 1 2026 HØST 1``."""
        return str(self.key)


@dataclass(frozen=True, slots=True)
class Undervisningsaktivitet:
    """An activity or group of an undervisningsenhet; ``parent`` is the kode of the activity above it."""

    source: ClassVar[SourceKind] = SourceKind.UNDERVISNINGSAKTIVITET
    ue: UeKey
    kode: str
    navn: Navn
    parent: str | None = None
    lms_romkode: str | None = None
    skal_eksporteres_til_lms: bool = True

    @property
    def subject(self) -> str:
        """``INF-1100 1 2026 HØST 1 SEM-1``."""
        return f"{self.ue} {self.kode}"


@dataclass(frozen=True, slots=True)
class Studieprogram:
    """A study programme."""

    source: ClassVar[SourceKind] = SourceKind.STUDIEPROGRAM
    kode: str
    navn: Navn
    studieansvarlig: Stedkode | None = None
    lms_romkode: str | None = None
    skal_eksporteres_til_lms: bool = True
    er_aktiv: bool = True

    @property
    def subject(self) -> str:
        """``B-INF``."""
        return self.kode


@dataclass(frozen=True, slots=True)
class Kull:
    """Those who begin a programme in a term; ``semester`` is that start term."""

    source: ClassVar[SourceKind] = SourceKind.KULL
    program: str
    semester: Semester
    navn: Navn
    tjenestenummer_for_lms: str | None = None
    skal_eksporteres_til_lms: bool = True
    er_aktiv: bool = True

    @property
    def subject(self) -> str:
        """``B-INF 2026 HØST``."""
        return f"{self.program} {self.semester.arstall} {self.semester.betegnelse.kode}"


@dataclass(frozen=True, slots=True)
class Klasse:
    """A class of a kull; its kode is unique in its kull only."""

    source: ClassVar[SourceKind] = SourceKind.KLASSE
    program: str
    semester: Semester
    kode: str
    navn: Navn
    lms_romkode: str | None = None
    skal_eksporteres_til_lms: bool = True
    er_aktiv: bool = True

    @property
    def subject(self) -> str:
        """``B-INF 2026 HØST A``."""
        return f"{self.program} {self.semester.arstall} {self.semester.betegnelse.kode} {self.kode}"


@dataclass(frozen=True, slots=True)
class EvuKurs:
    """A course of further education, identified by its kode and tidsangivelse."""

    source: ClassVar[SourceKind] = SourceKind.EVU_KURS
    kode: str
    tidsangivelse: str
    navn: Navn
    fra_dato: date | None = None
    til_dato: date | None = None
    administrativt_ansvarlig: Stedkode | None = None
    tjenestenummer_for_lms: str | None = None
    skal_eksporteres_til_lms: bool = True
    er_aktiv: bool = True

    @property
    def subject(self) -> str:
        """``94035B 2026-1``."""
        return f"{self.kode} {self.tidsangivelse}"


Row = Termin | Unit | Emne | Undervisningsenhet | Undervisningsaktivitet | Studieprogram | Kull | Klasse | EvuKurs


@dataclass(frozen=True, slots=True)
class UnreadableRow(RowProblem):
    """A row of which a field that it needs is missing or malformed.

    :param known: the leading parts of its natural key that could be read, in the order in which SIS ids have them.
    """

    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FsSource:
    """Everything one run read from FS.

    :param problems: rows that could not be read.
    :param gaps: why the read is not complete, one sentence each.
    """

    terminer: tuple[Termin, ...] = ()
    units: tuple[Unit, ...] = ()
    emner: tuple[Emne, ...] = ()
    undervisningsenheter: tuple[Undervisningsenhet, ...] = ()
    undervisningsaktiviteter: tuple[Undervisningsaktivitet, ...] = ()
    studieprogram: tuple[Studieprogram, ...] = ()
    kull: tuple[Kull, ...] = ()
    klasser: tuple[Klasse, ...] = ()
    evu_kurs: tuple[EvuKurs, ...] = ()
    problems: tuple[RowProblem, ...] = ()
    gaps: tuple[str, ...] = ()


def source_of(rows: Iterable[Row | RowProblem], gaps: Iterable[str] = ()) -> FsSource:
    """Sort the rows of one read by kind; a row that arrived twice with the same content is one row.

    A null node, and an unreadable row of which no part of the key is known, make the read incomplete: nobody can say
    which object they stand for.
    """
    kinds: dict[type, dict[Row, None]] = {}
    problems: dict[RowProblem, None] = {}
    for row in rows:
        if isinstance(row, RowProblem):
            problems[row] = None
        else:
            kinds.setdefault(type(row), {})[row] = None
    unknown = (p.message for p in problems if _may_be_any_row(p))

    def of(kind: type) -> tuple[Row, ...]:
        return tuple(kinds.get(kind, ()))

    return FsSource(
        **{name: of(kind) for name, kind in _KINDS.items()},  # type: ignore[arg-type]  # each kind has its own field
        problems=tuple(problems),
        gaps=tuple(dict.fromkeys((*gaps, *unknown))),
    )


def _may_be_any_row(problem: RowProblem) -> bool:
    return problem.code is Code.NULL_NODE or (isinstance(problem, UnreadableRow) and not problem.known)


_KINDS: dict[str, type] = {
    "terminer": Termin,
    "units": Unit,
    "emner": Emne,
    "undervisningsenheter": Undervisningsenhet,
    "undervisningsaktiviteter": Undervisningsaktivitet,
    "studieprogram": Studieprogram,
    "kull": Kull,
    "klasser": Klasse,
    "evu_kurs": EvuKurs,
}
