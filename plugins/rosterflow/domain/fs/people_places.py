"""Where a row of people is: the natural key of its place, as the study structure has it.

A place comes with every one of its people, so keys are made once and kept: equal keys are one object, and the cleaning
of codes costs a lookup. Each function raises :class:`Malformed` when a part of the key is missing or cannot be one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

from rosterflow.domain.fs import nodes
from rosterflow.domain.fs.nodes import Malformed
from rosterflow.domain.fs.people import EvuKey, KlasseKey, KullKey, ProgramKey, UaKey
from rosterflow.domain.fs.people_shapes import Kull, Ue, Where
from rosterflow.domain.fs.rows import EmneKey, Stedkode, UeKey
from rosterflow.domain.windows import Semester

T = TypeVar("T")


@lru_cache(maxsize=1024)
def _semester(arstall: int | None, kode: str | None) -> Semester:
    return nodes.semester({"termin": {"arstall": arstall, "betegnelse": {"kode": kode}}}, "termin")


@lru_cache(maxsize=1 << 16)
def _emne_key(kode: str | None, versjonskode: str | None) -> EmneKey:
    node: nodes.Node = {"emne": {"kode": kode, "versjonskode": versjonskode}}
    return EmneKey(nodes.needed(node, "emne.kode"), nodes.needed(node, "emne.versjonskode"))


@lru_cache(maxsize=1 << 17)
def _ue_key(
    kode: str | None, versjon: str | None, arstall: int | None, termin: str | None, terminnummer: int | None
) -> UeKey:
    number = nodes.terminnummer({"terminnummer": terminnummer})
    return UeKey(_emne_key(kode, versjon), _semester(arstall, termin), number)


@lru_cache(maxsize=1 << 16)
def code(value: str | None, path: str) -> str:
    """A code that a key cannot be without, cleaned; ``path`` says which it is."""
    try:
        return nodes.needed({"": value}, "")
    except Malformed as fault:
        raise Malformed(path, fault.why) from None


@lru_cache(maxsize=1 << 14)
def _stedkode(organisasjon: str | None, *numbers: str | None) -> Stedkode:
    levels = [(number or "").strip().lstrip("0") or "0" for number in numbers]
    return Stedkode((organisasjon or "").strip().lstrip("0"), *levels)


def _there(value: T | None, path: str) -> T:
    """A member of a row's place, which must be there."""
    if value is None:
        raise Malformed(path, "is null")
    return value


def at_ue(node: Ue) -> UeKey:
    """An UE, by the members of its key."""
    emne, termin = node.emne, node.termin
    if emne is None or termin is None:
        raise Malformed("termin" if emne else "emne", "is null")
    kode = termin.betegnelse.kode if termin.betegnelse else None
    return _ue_key(emne.kode, emne.versjonskode, termin.arstall, kode, node.terminnummer)


def at_kull(kull: Kull) -> KullKey:
    """A kull."""
    program, termin = _there(kull.studieprogram, "kull.studieprogram"), _there(kull.termin_v2, "kull.terminV2")
    kode = termin.betegnelse.kode if termin.betegnelse else None
    return KullKey(code(program.kode, "studieprogram.kode"), _semester(termin.arstall, kode))


def at_kull_of_role(node: Where) -> KullKey:
    """The kull of a role."""
    return at_kull(_there(node.kull, "kull"))


def at_klasse(node: Where) -> KlasseKey:
    """The klasse of a row."""
    klasse = _there(node.klasse, "klasse")
    return KlasseKey(at_kull(_there(klasse.kull, "klasse.kull")), code(klasse.kode, "klasse.kode"))


def at_program(node: Where) -> ProgramKey:
    """The study programme of a row."""
    return ProgramKey(code(_there(node.studieprogram, "studieprogram").kode, "studieprogram.kode"))


def at_program_or_kull(node: Where) -> ProgramKey | KullKey:
    """The kull of a right to study, or its programme when it is in none."""
    return at_program(node) if node.kull is None else at_kull(node.kull)


def at_kurs(node: Where) -> EvuKey:
    """The EVU course of a row."""
    kurs = _there(node.kurs, "kurs")
    return EvuKey(code(kurs.kode, "kurs.kode"), code(kurs.tidsangivelseskode, "kurs.tidsangivelseskode"))


def at_undervisningsenhet(node: Where) -> UeKey:
    """The UE of a role."""
    return at_ue(_there(node.undervisningsenhet, "undervisningsenhet"))


def at_ua(node: Where) -> UaKey:
    """The undervisningsaktivitet of a role."""
    ua = _there(node.undervisningsaktivitet, "undervisningsaktivitet")
    ue = _there(ua.undervisningsenhet, "undervisningsaktivitet.undervisningsenhet")
    return UaKey(at_ue(ue), code(ua.kode, "undervisningsaktivitet.kode"))


def at_emne(node: Where) -> EmneKey:
    """The emne of a role."""
    emne = _there(node.emne, "emne")
    return _emne_key(emne.kode, emne.versjonskode)


def at_enhet(node: Where) -> Stedkode:
    """The unit of a role; ``organisasjon`` is empty when FS does not say it."""
    enhet = _there(node.organisasjonsenhet, "organisasjonsenhet")
    return _stedkode(
        enhet.organisasjon.organisasjonskode if enhet.organisasjon else None,
        enhet.fakultet.fakultetsnummer if enhet.fakultet else None,
        enhet.instituttnummer,
        enhet.gruppenummer,
    )
