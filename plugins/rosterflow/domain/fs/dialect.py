"""From the JSON nodes of one operation to typed rows; a dialect is only a table of what it calls things.

Nothing in a node can raise: a row that cannot be used comes out as an :class:`UnreadableRow` with the path of the field
at fault, and a null where there must be something as a problem ``null-node``, which makes the read incomplete.
Source: FS reference §4, §5 and §7; the shapes of 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.errors import Code
from rosterflow.domain.fs import nodes
from rosterflow.domain.fs.nodes import Malformed, Node
from rosterflow.domain.fs.rows import (
    Emne,
    EmneKey,
    EvuKurs,
    Klasse,
    Kull,
    Row,
    Stedkode,
    Studieprogram,
    Termin,
    UeKey,
    Undervisningsaktivitet,
    Undervisningsenhet,
    Unit,
    UnreadableRow,
)
from rosterflow.domain.model import SourceKind
from rosterflow.domain.windows import Semester

T = TypeVar("T")
Known = list[str]
"""The leading parts of a row's natural key, filled in while it is read."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one dialect calls the members that are named differently, and how its nested lists look.

    :param has_nodes: whether a nested list is a connection (``{"nodes": [...]}``) or the list itself.
    :param kull_navn_required: whether the schema says that a kull has a Norwegian name.
    """

    has_nodes: bool
    kull_navn_required: bool
    emne_studieansvarlig: str
    emne_administrativt_ansvarlig: str
    program_studieansvarlig: str
    program_kull: str
    kull_termin: str
    evu_kode: str
    evu_ansvarlig: str


def rows_of(dialect: Dialect, operation: str, raw: Iterable[object]) -> Iterator[Row | RowProblem]:
    """The typed rows of an operation's root nodes, nested ones too.

    :param operation: one of ``terminer``, ``organisasjonsenheter``, ``emner``, ``studieprogram``, ``evu_kurs``,
        ``undervisning``.
    :raises KeyError: when there is no such operation.
    """
    reader = _Reader(dialect)
    source, read = reader.operations[operation]
    for place, node in enumerate(raw):
        yield from read(reader.row(source, node, f"{operation}[{place}]"))
        yield from reader.problems
        reader.problems.clear()


class _Raw(msgspec.Struct, frozen=True):
    """One node of a kind, not read yet; ``node`` is ``None`` when it was reported as unusable."""

    source: SourceKind
    node: Node | None
    path: str


class _Reader:
    """Reads the nodes of one operation; problems gather in ``problems``."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.problems: list[RowProblem] = []
        self.operations: dict[str, tuple[SourceKind, Callable[[_Raw], Iterator[Row]]]] = {
            "terminer": (SourceKind.TERMIN, self.terminer),
            "organisasjonsenheter": (SourceKind.ORGANISASJONSENHET, self.units),
            "emner": (SourceKind.EMNE, self.emner),
            "studieprogram": (SourceKind.STUDIEPROGRAM, self.programmes),
            "evu_kurs": (SourceKind.EVU_KURS, self.evu_kurs),
            "undervisning": (SourceKind.EMNE, self.teaching),
        }

    # ----------------------------------------------------------------- rows and their problems
    def row(self, source: SourceKind, node: object, path: str) -> _Raw:
        """Take a node; one that is null is reported, for it may stand for any row."""
        if isinstance(node, dict):
            return _Raw(source, node, path)
        what = "is null" if node is None else "is no object"
        self.null(source, "", path, f"A row of kind {source} {what}, at {path}.")
        return _Raw(source, None, path)

    def null(self, source: SourceKind, subject: str, path: str, message: str) -> None:
        """Report a null where there must be something: the read is incomplete."""
        self.problems.append(RowProblem(Code.NULL_NODE, source, subject, path, message))

    def read(self, raw: _Raw, parse: Callable[[Node, Known], T], known: Iterable[str] = ()) -> T | None:
        """One node as a row, or ``None`` when it is unreadable and has been reported."""
        if raw.node is None:
            return None
        parts = list(known)
        try:
            return parse(raw.node, parts)
        except Malformed as fault:
            subject = " ".join((*parts, "?"))
            message = f"{raw.source} {subject}: {fault.path} {fault.why}, at {raw.path}."
            self.problems.append(
                UnreadableRow(Code.ROW_INVALID, raw.source, subject, fault.path, message, tuple(parts))
            )
            return None

    def children(self, raw: _Raw, name: str, source: SourceKind) -> Iterator[_Raw]:
        """The nodes of a nested list; one that is null, or is no list, is reported: nobody knows what it held."""
        listed = (raw.node or {}).get(name)
        path = f"{raw.path}.{name}"
        if self.dialect.has_nodes and isinstance(listed, dict):
            listed, path = listed.get("nodes"), f"{path}.nodes"
        if not isinstance(listed, list):
            self.null(source, "", path, f"The list of rows of kind {source} is missing, at {path}.")
            return
        for place, node in enumerate(listed):
            yield self.row(source, node, f"{path}[{place}]")

    # ----------------------------------------------------------------- terms and units
    def terminer(self, raw: _Raw) -> Iterator[Row]:
        def parse(node: Node, known: Known) -> Termin:
            year = nodes.year(node, "arstall")
            known.append(str(year))
            betegnelse = nodes.betegnelse(node, "betegnelse.kode")
            known.append(betegnelse.kode)
            fra = nodes.day(node, "studiesemesterPeriode.fraDato")
            return Termin(Semester(year, betegnelse), fra, nodes.day(node, "studiesemesterPeriode.tilDato"))

        if row := self.read(raw, parse):
            yield row

    def units(self, raw: _Raw) -> Iterator[Row]:
        def parse(node: Node, known: Known) -> Unit:
            sted = self.sted(raw, node)
            known.extend(sted)
            parent = nodes.get(node, "parent")
            return Unit(
                sted=sted,
                navn=nodes.navn(node),
                parent=self.sted(raw, parent, sted.organisasjon) if isinstance(parent, dict) else None,
                skal_eksporteres_til_lms=nodes.flag(node, "skalEksporteresTilLms"),
                er_aktiv=nodes.flag(node, "erAktiv"),
            )

        if row := self.read(raw, parse):
            yield row

    def sted(self, raw: _Raw, unit: Node, organisasjon: str = "") -> Stedkode:
        """The place of a unit by its numbers; ``organisasjon`` stands in where the query did not ask for it."""
        owner = nodes.text(unit, "organisasjon.organisasjonskode")
        if owner is None and unit.get("organisasjon") is not None:
            path = f"{raw.path}.organisasjon.organisasjonskode"
            self.null(raw.source, "", path, f"A unit's organisasjonskode is null, at {path}.")
        numbers = ("fakultet.fakultetsnummer", "instituttnummer", "gruppenummer")
        levels = [(nodes.text(unit, path) or "").lstrip("0") or "0" for path in numbers]
        return Stedkode((owner or organisasjon).lstrip("0"), *levels)

    def responsible(self, raw: _Raw, node: Node, path: str) -> Stedkode | None:
        """The place of a responsible unit, ``None`` when there is none."""
        unit = nodes.get(node, path)
        if unit is None:
            return None
        if not isinstance(unit, dict):
            raise Malformed(path, "is no unit")
        return self.sted(raw, unit)

    # ----------------------------------------------------------------- emner and teaching
    def emner(self, raw: _Raw, *, fra_undervisning: bool = False) -> Iterator[Emne]:
        def parse(node: Node, known: Known) -> Emne:
            known.append(nodes.needed(node, "kode"))
            known.append(nodes.needed(node, "versjonskode"))
            return Emne(
                key=EmneKey(*known),
                navn=nodes.navn(node),
                studieansvarlig=self.responsible(raw, node, self.dialect.emne_studieansvarlig),
                administrativt_ansvarlig=self.responsible(raw, node, self.dialect.emne_administrativt_ansvarlig),
                tjenestenummer_for_lms=nodes.text(node, "tjenestenummerForLms"),
                fra_undervisning=fra_undervisning,
            )

        if row := self.read(raw, parse):
            yield row

    def teaching(self, raw: _Raw) -> Iterator[Row]:
        for emne in self.emner(raw, fra_undervisning=True):
            yield emne
            for child in self.children(raw, "undervisningsenheter", SourceKind.UNDERVISNINGSENHET):
                yield from self.undervisningsenhet(emne.key, child)

    def undervisningsenhet(self, emne: EmneKey, raw: _Raw) -> Iterator[Row]:
        def parse(node: Node, known: Known) -> Undervisningsenhet:
            semester = nodes.semester(node, "termin")
            known.append(semester.sis_id)
            nummer = nodes.terminnummer(node)
            known.append(str(nummer))
            return Undervisningsenhet(
                key=UeKey(emne, semester, nummer),
                siste_termin=_siste_termin(node),
                undervisningen_folger=nodes.kode_of(node, "undervisningenFolger"),
                skal_eksporteres_til_lms=nodes.flag(node, "skalEksporteresTilLms"),
            )

        if enhet := self.read(raw, parse, emne):
            yield enhet
            for child in self.children(raw, "undervisningsaktiviteter", SourceKind.UNDERVISNINGSAKTIVITET):
                yield from self.undervisningsaktivitet(enhet.key, child)

    def undervisningsaktivitet(self, ue: UeKey, raw: _Raw) -> Iterator[Row]:
        def parse(node: Node, known: Known) -> Undervisningsaktivitet:
            known.append(nodes.needed(node, "kode"))
            return Undervisningsaktivitet(
                ue=ue,
                kode=known[-1],
                navn=nodes.navn(node),
                parent=nodes.kode_of(node, "parent"),
                lms_romkode=nodes.text(node, "lmsRomkode"),
                skal_eksporteres_til_lms=nodes.flag(node, "skalEksporteresTilLms"),
            )

        if row := self.read(raw, parse, (*ue.emne, ue.semester.sis_id, str(ue.terminnummer))):
            yield row

    # ----------------------------------------------------------------- programmes and further education
    def programmes(self, raw: _Raw) -> Iterator[Row]:
        def parse(node: Node, known: Known) -> Studieprogram:
            known.append(nodes.needed(node, "kode"))
            return Studieprogram(
                kode=known[-1],
                navn=nodes.navn(node),
                studieansvarlig=self.responsible(raw, node, self.dialect.program_studieansvarlig),
                lms_romkode=nodes.text(node, "lmsRomkode"),
                skal_eksporteres_til_lms=nodes.flag(node, "skalEksporteresTilLms"),
                er_aktiv=nodes.flag(node, "erAktiv"),
            )

        if program := self.read(raw, parse):
            yield program
            for child in self.children(raw, self.dialect.program_kull, SourceKind.KULL):
                yield from self.kull(program.kode, child)

    def kull(self, program: str, raw: _Raw) -> Iterator[Row]:
        def parse(node: Node, known: Known) -> Kull:
            semester = nodes.semester(node, self.dialect.kull_termin)
            known.append(semester.sis_id)
            if self.dialect.kull_navn_required and nodes.get(node, "navnAlleSprak.no") is None:
                path = f"{raw.path}.navnAlleSprak.no"
                self.null(raw.source, " ".join(known), path, f"The name of a kull is null, at {path}.")
            return Kull(
                program=program,
                semester=semester,
                navn=nodes.navn(node),
                tjenestenummer_for_lms=nodes.text(node, "tjenestenummerForLms"),
                skal_eksporteres_til_lms=nodes.flag(node, "skalEksporteresTilLms"),
                er_aktiv=nodes.flag(node, "erAktiv"),
            )

        if kull := self.read(raw, parse, (program,)):
            yield kull
            for child in self.children(raw, "klasser", SourceKind.KLASSE):
                yield from self.klasse(kull, child)

    def klasse(self, kull: Kull, raw: _Raw) -> Iterator[Row]:
        def parse(node: Node, known: Known) -> Klasse:
            known.append(nodes.needed(node, "kode"))
            return Klasse(
                program=kull.program,
                semester=kull.semester,
                kode=known[-1],
                navn=nodes.navn(node),
                lms_romkode=nodes.text(node, "lmsRomkode"),
                skal_eksporteres_til_lms=nodes.flag(node, "skalEksporteresTilLms"),
                er_aktiv=nodes.flag(node, "erAktiv"),
            )

        if row := self.read(raw, parse, (kull.program, kull.semester.sis_id)):
            yield row

    def evu_kurs(self, raw: _Raw) -> Iterator[Row]:
        def parse(node: Node, known: Known) -> EvuKurs:
            known.append(nodes.needed(node, self.dialect.evu_kode))
            known.append(nodes.needed(node, "tidsangivelseskode"))
            return EvuKurs(
                kode=known[0],
                tidsangivelse=known[1],
                navn=nodes.navn(node),
                fra_dato=nodes.day(node, "kursperiode.fraDato"),
                til_dato=nodes.day(node, "kursperiode.tilDato"),
                administrativt_ansvarlig=self.responsible(raw, node, self.dialect.evu_ansvarlig),
                tjenestenummer_for_lms=nodes.text(node, "tjenestenummerForLms"),
                skal_eksporteres_til_lms=nodes.flag(node, "skalEksporteresTilLms"),
                er_aktiv=nodes.flag(node, "erAktiv"),
            )

        if row := self.read(raw, parse):
            yield row


def _siste_termin(node: Node) -> Semester | None:
    if nodes.get(node, "sisteTermin.arstall") is None and nodes.get(node, "sisteTermin.terminkode") is None:
        return None
    return nodes.semester(node, "sisteTermin", kode="terminkode")
