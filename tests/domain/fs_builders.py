"""Rows of an invented university (number 184), short enough to read in a test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from rosterflow.domain.decisions import Decision, RowProblem
from rosterflow.domain.errors import Code
from rosterflow.domain.fs.rows import (
    Emne,
    EmneKey,
    EvuKurs,
    Klasse,
    Kull,
    Navn,
    Row,
    Stedkode,
    Studieprogram,
    Termin,
    UeKey,
    Undervisningsaktivitet,
    Undervisningsenhet,
    Unit,
    UnreadableRow,
    source_of,
)
from rosterflow.domain.institution import Institution
from rosterflow.domain.mapping.fs import map_fs
from rosterflow.domain.model import CanvasObject, Key, Kind, SourceKind, key_of
from rosterflow.domain.snapshot import Scope, Snapshot
from rosterflow.domain.windows import Semester

HOME = "FJORD"
"""SIS id of the institution's own account."""
H26, V27, H27, V28 = (Semester.of(term) for term in ("2026_HØST", "2027_VÅR", "2027_HØST", "2028_VÅR"))
NOW = Scope(frozenset({H26.sis_id, V27.sis_id}))


def institution(**settings: Any) -> Institution:
    """The invented university; ``canvas`` and ``fs`` are merged into what it needs."""
    canvas = {"connection": "canvas", "account": HOME, **settings.pop("canvas", {})}
    fs = {"connection": "fs", **settings.pop("fs", {})}
    return Institution.model_validate(
        {"key": "fjord", "name": "Fjord universitet", "number": "184", "fs": fs, "canvas": canvas, **settings}
    )


def sted(numbers: str, organisasjon: str = "184") -> Stedkode:
    """``12_1_0`` as the place of a unit."""
    return Stedkode(organisasjon, *numbers.split("_"))


def unit(numbers: str, name: str = "Enhet", parent: str | None = None, **fields: Any) -> Unit:
    return Unit(sted(numbers), Navn(nb=name), sted(parent) if parent else None, **fields)


def emne(kode: str, versjon: str = "1", at: str | None = "12_0_0", name: str | None = None, **fields: Any) -> Emne:
    responsible = sted(at) if at else None
    return Emne(EmneKey(kode, versjon), Navn(nb=f"Om {kode}" if name is None else name), responsible, **fields)


def ue(
    kode: str, semester: Semester = H26, nummer: int = 1, versjon: str = "1", folger: str | None = None, **fields: Any
) -> Undervisningsenhet:
    return Undervisningsenhet(UeKey(EmneKey(kode, versjon), semester, nummer), undervisningen_folger=folger, **fields)


def ua(enhet: Undervisningsenhet, kode: str, name: str | None = None, **fields: Any) -> Undervisningsaktivitet:
    return Undervisningsaktivitet(enhet.key, kode, Navn(nb=name or f"Gruppe {kode}"), **fields)


def program(kode: str = "B-INF", at: str | None = "12_0_0", name: str = "Informatikk", **fields: Any) -> Studieprogram:
    return Studieprogram(kode, Navn(nb=name), sted(at) if at else None, **fields)


def kull(of: str = "B-INF", semester: Semester = H26, name: str = "Høst 2026", **fields: Any) -> Kull:
    return Kull(of, semester, Navn(nb=name), **fields)


def klasse(kode: str = "A", of: str = "B-INF", semester: Semester = H26, **fields: Any) -> Klasse:
    return Klasse(of, semester, kode, Navn(und=f"Klasse {kode}"), **fields)


def evu(kode: str = "LED1", when: str = "2026-1", at: str | None = "12_0_0", **fields: Any) -> EvuKurs:
    fields = {"fra_dato": date(2026, 9, 1), "til_dato": date(2026, 11, 30), **fields}
    responsible = sted(at) if at else None
    return EvuKurs(kode, when, Navn(nb="Ledelse"), administrativt_ansvarlig=responsible, **fields)


def termin(semester: Semester, fra: date | None = None, til: date | None = None) -> Termin:
    return Termin(semester, fra, til)


def unreadable(kind: SourceKind, *known: str) -> UnreadableRow:
    """A row that lacks what follows the known parts of its key."""
    subject = " ".join((*known, "?"))
    return UnreadableRow(Code.ROW_INVALID, kind, subject, "kode", f"{kind} {subject}: kode is missing.", known)


FAKULTET = unit("12_0_0", "Fakultet for hav")
INF = emne("INF")


def snapshot(
    *rows: Row | RowProblem,
    inst: Institution | None = None,
    scope: Scope = NOW,
    confirmed: Iterable[CanvasObject] = (),
    gaps: Iterable[str] = (),
) -> Snapshot:
    """The snapshot of some rows."""
    return map_fs(inst or institution(), scope, source_of(rows, gaps), {key_of(one): one for one in confirmed})


def account(shot: Snapshot, sis_id: str) -> Any:
    return shot.objects.get(Key(Kind.ACCOUNT, sis_id))


def term(shot: Snapshot, sis_id: str) -> Any:
    return shot.objects.get(Key(Kind.TERM, sis_id))


def course(shot: Snapshot, sis_id: str) -> Any:
    return shot.objects.get(Key(Kind.COURSE, sis_id))


def section(shot: Snapshot, sis_id: str) -> Any:
    return shot.objects.get(Key(Kind.SECTION, sis_id))


def ids(shot: Snapshot, kind: Kind) -> list[str]:
    """The SIS ids of one kind in the snapshot, sorted."""
    return sorted(key.sis_id for key in shot.objects if key.kind is kind)


def decision(shot: Snapshot, row: Row) -> Decision:
    """The one decision about a row."""
    (found,) = [d for d in shot.decisions if (d.source, d.subject) == (row.source, row.subject)]
    return found


def rule(shot: Snapshot, row: Row) -> tuple[bool, str]:
    """Whether a row was sent and by which rule."""
    found = decision(shot, row)
    return found.allowed, found.rule


def facts(shot: Snapshot, row: Row) -> Mapping[str, str]:
    return dict(decision(shot, row).facts)
