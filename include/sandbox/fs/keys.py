"""Natural keys: what identifies a row, what rows are sorted by, and the node ids and cursors made from it.

A node id is base64url without padding of `<type>:<key columns, comma separated>`; a cursor of 2026 is base64url
without padding of the JSON array of the sort columns, one of 2023 is the node id of the row. Sources: FS reference,
sections 3.3 and 3.4; the type numbers 20 and 117 are FS's, the others are the sandbox's own.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sandbox.fs.errors import IllegalArgumentError

if TYPE_CHECKING:
    from sandbox.university.model import (
        Emne,
        EvuKurs,
        EvuKursaktivitet,
        Klasse,
        Kull,
        Organisasjonsenhet,
        Semester,
        Studieprogram,
        Undervisningsaktivitet,
        Undervisningsenhet,
    )

Row = TypeVar("Row")
Columns = tuple[int | str, ...]

_NORWEGIAN = str.maketrans({"æ": "{", "ø": "|", "å": "}"})


@lru_cache(maxsize=65536)
def collate(text: str) -> tuple[str, str]:
    """Return what a text sorts by: without case, æ, ø and å last in that order, the text itself at a tie."""
    return text.casefold().translate(_NORWEGIAN), text


def sort_key(columns: Columns) -> tuple[Any, ...]:
    """Return what a row of these columns sorts by: numbers as numbers, texts in Norwegian order."""
    return tuple(collate(column) if isinstance(column, str) else column for column in columns)


@dataclass(frozen=True, slots=True)
class Key(Generic[Row]):
    """How rows of one type are identified and sorted: `columns` makes a row's key of the institution and the row."""

    type_id: int
    kinds: tuple[type[int] | type[str], ...]
    columns: Callable[[int, Row], Columns]

    def led_by(self, kinds: tuple[type[int] | type[str], ...], leading: Callable[[Row], Columns]) -> Key[Row]:
        """Return the key that sorts by other columns first, for `orderBy`."""
        return Key(self.type_id, (*kinds, *self.kinds), lambda inst, row: leading(row) + self.columns(inst, row))

    def node_id(self, institution: int, row: Row) -> str:
        """Return a row's opaque id."""
        return encode_id(self.type_id, self.columns(institution, row))


@dataclass(frozen=True, slots=True)
class ChildKey(Key[Row]):
    """The key of rows below an owner: the owner's columns, then `own`, numbers that tell its rows apart."""

    own: Callable[[Row], tuple[int, ...]]


def below(
    owner: Key[Any], type_id: int, owner_of: Callable[[Row], Any], own: Callable[[Row], tuple[int, ...]], count: int = 1
) -> ChildKey[Row]:
    """Return the key of rows below an owner, whose own columns are `count`."""
    kinds = (*owner.kinds, *(int,) * count)
    return ChildKey(type_id, kinds, lambda inst, row: owner.columns(inst, owner_of(row)) + own(row), own)


def encode_id(type_id: int, columns: Columns) -> str:
    """Return the node id of a type number and key columns."""
    return _base64(f"{type_id}:" + ",".join(str(column).replace(",", "%2C") for column in columns))


def decode_id(text: str, key: Key[Any]) -> Columns:
    """Return the key columns in a node id of one type. Raises IllegalArgumentError for any other text."""
    try:
        type_id, _, rest = _plain(text).partition(":")
        values = rest.split(",")
        if type_id != str(key.type_id) or len(values) != len(key.kinds):
            raise ValueError(type_id)
        return tuple(kind(value.replace("%2C", ",")) for kind, value in zip(key.kinds, values, strict=True))
    except ValueError as error:
        raise IllegalArgumentError(f"{text} is not a valid id") from error


def encode_cursor(columns: Columns) -> str:
    """Return the cursor of 2026 that stands at a row with these sort columns."""
    return _base64(json.dumps(columns, ensure_ascii=False, separators=(",", ":")))


def decode_cursor(text: str, key: Key[Any]) -> Columns:
    """Return the sort columns in a cursor of 2026. Raises IllegalArgumentError, in FS's words, for any other text."""
    try:
        columns = json.loads(_plain(text))
        if not isinstance(columns, list) or [type(column) for column in columns] != list(key.kinds):
            raise ValueError(text)
    except ValueError as error:
        raise IllegalArgumentError(f"Ugyldig verdi/format på token brukt til paginering (after): '{text}'") from error
    return tuple(columns)


def _base64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _plain(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except binascii.Error as error:
        raise ValueError(text) from error


def _unit(inst: int, unit: Organisasjonsenhet) -> Columns:
    return inst, inst, unit.fakultetsnummer, unit.instituttnummer, unit.gruppenummer


def _emne(inst: int, emne: Emne) -> Columns:
    return inst, inst, emne.kode, emne.versjonskode


def _ue(inst: int, ue: Undervisningsenhet) -> Columns:
    return *_emne(inst, ue.emne), ue.semester.kode.value, ue.semester.arstall, ue.terminnummer


def _ua(inst: int, ua: Undervisningsaktivitet) -> Columns:
    return *_ue(inst, ua.enhet), ua.kode


def _programme(inst: int, program: Studieprogram) -> Columns:
    return inst, program.kode


def _kull(inst: int, kull: Kull) -> Columns:
    return inst, kull.studieprogram.kode, kull.semester.kode.value, kull.semester.arstall


def _klasse(inst: int, klasse: Klasse) -> Columns:
    return *_kull(inst, klasse.kull), klasse.kode


def _evu(inst: int, kurs: EvuKurs) -> Columns:
    return inst, kurs.kode, kurs.tidsangivelse


def _evu_activity(inst: int, row: tuple[EvuKurs, EvuKursaktivitet]) -> Columns:
    return *_evu(inst, row[0]), row[1].kode


def _term(inst: int, semester: Semester) -> Columns:
    return inst, semester.arstall, semester.kode.value


def _code(inst: int, code: str) -> Columns:
    return inst, code


ORGANISASJON: Key[int] = Key(4, (int,), lambda inst, _row: (inst,))
ORGANISASJONSENHET = Key(5, (int, int, int, int, int), _unit)
FAKULTET: Key[Organisasjonsenhet] = Key(6, (int, int), lambda inst, unit: (inst, unit.fakultetsnummer))
ORGANISASJONSNIVAA = Key(7, (int, str), _code)
EMNE = Key(20, (int, int, str, str), _emne)
EMNE_SPRAKVALG: Key[tuple[Emne, str]] = Key(
    21, (int, int, str, str, str), lambda inst, row: (*_emne(inst, row[0]), row[1])
)
UNDERVISNINGSENHET = Key(31, (*EMNE.kinds, str, int, int), _ue)
UNDERVISNINGSENHET_SPRAKVALG: Key[tuple[Undervisningsenhet, str]] = Key(
    32, (*UNDERVISNINGSENHET.kinds, str), lambda inst, row: (*_ue(inst, row[0]), row[1])
)
UNDERVISNINGSAKTIVITET = Key(33, (*UNDERVISNINGSENHET.kinds, str), _ua)
UNDERVISNINGSFORM = Key(34, (int, str), _code)
STUDIEPROGRAM = Key(40, (int, str), _programme)
STUDIEPROGRAM_SPRAK: Key[tuple[Studieprogram, str]] = Key(
    44, (*STUDIEPROGRAM.kinds, str), lambda inst, row: (*_programme(inst, row[0]), row[1])
)
KULL = Key(41, (int, str, str, int), _kull)
KLASSE = Key(42, (*KULL.kinds, str), _klasse)
KLASSEBETEGNELSE = Key(43, (int, str), _code)
EVU_KURS = Key(50, (int, str, str), _evu)
EVU_KURSAKTIVITET = Key(51, (*EVU_KURS.kinds, str), _evu_activity)
SPRAK = Key(60, (int, str), _code)
TERMINBETEGNELSE = Key(117, (int, str), _code)
TERMIN = Key(118, (int, int, str), _term)
