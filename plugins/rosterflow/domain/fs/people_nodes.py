"""From the pages of the people operations to typed rows, quickly: a million rights are one day's read.

A page that is still JSON becomes typed rows in one go. Should any of its nodes not be as it should, it is read once
more, node by node and with care.

Nothing in a node can raise, and no row is dropped in silence:

=====================================  =============================================================================
the person is null, or has no key      an :class:`UnknownPerson` at the row's place
another field is malformed             an ``UnreadableRow`` with its path, and an :class:`UnknownPerson` at the place
the place is missing or malformed      an ``UnreadableRow`` of which nothing is known: it may be about anybody anywhere
the node is null                       a problem ``null-node``, as in the study structure
=====================================  =============================================================================

Source: FS reference §2.4, §4.7–§4.9; the shapes of 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import msgspec
from msgspec import ValidationError, convert

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.errors import Code
from rosterflow.domain.fs import nodes
from rosterflow.domain.fs import people_places as places
from rosterflow.domain.fs.nodes import Malformed
from rosterflow.domain.fs.people import (
    EmneRett,
    EvuDeltaker,
    KlasseMedlem,
    KullKey,
    PeopleRow,
    Person,
    Place,
    ProgramRett,
    Rolle,
    UnknownPerson,
    subject_of,
)
from rosterflow.domain.fs.people_shapes import Bruker, Participation, Plassering, Profil, Shape, Student, Where
from rosterflow.domain.fs.rows import UnreadableRow
from rosterflow.domain.model import SourceKind

Page = bytes | Sequence[Any]
"""A page of a read: its nodes, or the JSON text of the list of them."""


def people_rows(operation: str, dialect: str, raw: Iterable[object]) -> Iterator[PeopleRow | RowProblem]:
    """The typed rows of an operation's root nodes, one by one, in FS's order.

    :param operation: one of those that ``rosterflow.hooks.fs_operations.PEOPLE`` names for the dialect.
    :param dialect: ``2026`` or ``2023``.
    :param raw: the nodes as FS gave them, nested connections paged to their end.
    :raises KeyError: when the dialect has no such operation.
    """
    yield from _one_by_one(_READS[dialect, operation], operation, enumerate(raw))


def rows_of_pages(operation: str, dialect: str, pages: Iterable[Page]) -> Iterator[PeopleRow | RowProblem]:
    """The same of the pages of a read, in order, each as JSON or as its nodes.

    :raises KeyError: when the dialect has no such operation.
    """
    read = _READS[dialect, operation]
    begun = 0
    for page in pages:
        rows = None if read.inside or not isinstance(page, bytes) else _at_once(read, page)
        if rows is None:
            nodes = msgspec.json.decode(page) if isinstance(page, bytes) else page
            rows = list(_one_by_one(read, operation, enumerate(nodes, begun)))
            begun += len(nodes)
        else:
            begun += len(rows)
        yield from rows


def _at_once(read: _Read, page: bytes) -> list[PeopleRow | RowProblem] | None:
    """The rows of a page of which every node is as it should be; ``None`` of any other page."""
    try:
        return [*map(read.row, _decoder(read.shape).decode(page))]
    except (ValidationError, Malformed):
        return None


@cache
def _decoder(shape: type[Shape]) -> msgspec.json.Decoder[list[Any]]:
    return msgspec.json.Decoder(list[shape], strict=False)  # type: ignore[valid-type]  # a type that is a value here


def _one_by_one(
    read: _Read, operation: str, numbered: Iterable[tuple[int, object]]
) -> Iterator[PeopleRow | RowProblem]:
    shape, row = read.shape, read.row
    for path, node in read.numbered(operation, numbered):
        try:
            yield row(convert(node, shape, strict=False))
        except (ValidationError, Malformed):
            yield from _with_care(read, path, node)


def _with_care(read: _Read, path: str, node: object) -> Iterator[PeopleRow | RowProblem]:
    """A node that was not as it should be: once more with its numbers as text, else as the problem that it is."""
    if not isinstance(node, dict):
        what = "is null" if node is None else "is no object"
        yield RowProblem(Code.NULL_NODE, read.source, "", path, f"A row of kind {read.source} {what}, at {path}.")
        return
    texts = _texts(node)
    try:
        yield read.row(convert(texts, read.shape, strict=False))
        return
    except ValidationError as fault:
        field, why = _words(fault)
    except Malformed as fault:
        field, why = fault.path, fault.why
    place = read.place_of(texts)
    known = (subject_of(place),) if place is not None else read.person_of(texts)
    subject = known[0] if known else "?"
    message = f"{read.source} {subject}: {field} {why}, at {path}."
    yield UnreadableRow(Code.ROW_INVALID, read.source, subject, field, message, known)
    if place is not None:
        yield UnknownPerson(read.source, place)


def _texts(node: Any) -> Any:
    """A node with every number as text: there are scalars whose type varies (FS reference §6)."""
    if isinstance(node, dict):
        return {name: _texts(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_texts(value) for value in node]
    return str(node) if isinstance(node, int | float) and not isinstance(node, bool) else node


def _words(fault: ValidationError) -> tuple[str, str]:
    """Which field it is and why, from msgspec's sentence, which names types and never values."""
    found = re.fullmatch(r"Expected `(.+?)(?: \| null)?`, got `(\w+)`(?: - at `\$\.?(.*)`)?", str(fault))
    return (found[3] or "", f"is {found[2]}, not {found[1]}") if found else ("", "cannot be read")


# ---------------------------------------------------------------------- people and what they take part in
def _person(profil: Profil | None) -> str | None:
    """The key of a person; ``None`` when FS does not say who it is."""
    key = (profil.personlopenummer or profil.id) if profil else None
    return (key.strip() or None) if key else None


def _student(student: Student | None) -> tuple[str | None, bool | None]:
    return (_person(student.person_profil), student.kan_overfores_til_lms) if student else (None, None)


def _bruker(node: Bruker) -> Person:
    person = _person(node)
    if person is None:
        raise Malformed("personlopenummer", "is missing")
    navn = node.navn
    return Person(
        person=person,
        feide_bruker=_text(node.feide_bruker),
        fornavn=_text(navn.fornavn) if navn else None,
        etternavn=_text(navn.etternavn) if navn else None,
        epost=_text(node.institusjons_epost),
        er_dod=bool(node.er_dod),
        kan_overfores=node.kan_overfores_til_lms,
    )


def _text(value: str | None) -> str | None:
    return (value.strip() or None) if value else None


def _emne_rett(node: Participation) -> EmneRett | UnknownPerson:
    ue = places.at_ue(node)
    person, kan_overfores = _student(node.student)
    if person is None:
        return UnknownPerson(SourceKind.EMNESTUDIERETT, ue)
    return EmneRett(person, ue, _partier(node.undervisningsparti_plasseringer), kan_overfores)


def _partier(plasseringer: list[Plassering | None] | None) -> tuple[str, ...] | None:
    if not plasseringer:
        return None if plasseringer is None else ()
    koder: list[str | None] = []
    for plassering in plasseringer:
        if plassering is None or plassering.undervisningsaktivitet is None:
            _clean(tuple(koder))  # one that is no code is told even so
            return None
        koder.append(plassering.undervisningsaktivitet.kode)
    return _clean(tuple(koder))


@lru_cache(maxsize=1 << 14)
def _clean(koder: tuple[str | None, ...]) -> tuple[str, ...]:
    """Cleaned once, and one object for equal ones: most of a million students are on the same few parties."""
    return tuple(places.code(kode, "undervisningsaktivitet.kode") for kode in koder)


def _program_rett(node: Participation) -> ProgramRett | UnknownPerson:
    place, person, status = places.at_program_or_kull(node), _person(node.person_profil), node.studentstatus
    if person is None:
        return UnknownPerson(SourceKind.PROGRAMSTUDIERETT, place)
    return ProgramRett(
        person=person,
        program=place[0],
        kull=place if isinstance(place, KullKey) else None,
        studentstatus=_text(status.kode) if status else None,
        gir_aktiv_studierett=status.gir_aktiv_studierett if status else None,
        kan_overfores=node.student.kan_overfores_til_lms if node.student else None,
    )


def _klasse_medlem(node: Participation) -> KlasseMedlem | UnknownPerson:
    klasse = places.at_klasse(node)
    person, kan_overfores = _student(node.student_ved_larested)
    if person is None:
        return UnknownPerson(SourceKind.KLASSEMEDLEMSKAP, klasse)
    return KlasseMedlem(person, klasse, kan_overfores)


def _evu_deltaker(node: Participation) -> EvuDeltaker | UnknownPerson:
    kurs, profil = places.at_kurs(node), node.person_profil
    person = _person(profil)
    if profil is None or person is None:
        return UnknownPerson(SourceKind.EVU_DELTAKELSE, kurs)
    return EvuDeltaker(person, kurs, profil.kan_overfores_til_lms)


def _rolle_on(at: Callable[[Where], Place]) -> Callable[[Participation], Rolle | UnknownPerson]:
    def rolle(node: Participation) -> Rolle | UnknownPerson:
        place, person, fs_rolle = at(node), _person(node.person_profil), node.fs_rolle
        kode = places.code(fs_rolle.kode if fs_rolle else None, "fsRolle.kode")
        if person is None:
            return UnknownPerson(SourceKind.PERSONROLLE, place, kode)
        periode, fagperson = node.gyldighetsperiode, node.fagperson
        return Rolle(
            person=person,
            place=place,
            fs_rolle=kode,
            ims_rolle=_text(fs_rolle.ims_rolle) if fs_rolle else None,
            fra=nodes.day({"fraDato": periode.fra_dato}, "fraDato") if periode else None,
            til=nodes.day({"tilDato": periode.til_dato}, "tilDato") if periode else None,
            er_aktiv=node.er_aktiv,
            er_fagperson=fagperson.er_aktiv if fagperson else None,
            kan_overfores=fagperson.kan_overfores_til_lms if fagperson else None,
        )

    return rolle


# ---------------------------------------------------------------------- operations
@dataclass(frozen=True, slots=True)
class _Read:
    """How the nodes of one operation become rows.

    :param at: the place of a row, when it has one.
    :param inside: the nodes are places, and this is the member that lists their rows; ``whole`` is what a row calls the
        place that it is in.
    """

    source: SourceKind
    shape: type[Shape]
    row: Callable[[Any], PeopleRow]
    at: Callable[[Any], Place] | None = None
    inside: str = ""
    whole: str = ""

    def numbered(self, operation: str, raw: Iterable[tuple[int, object]]) -> Iterator[tuple[str, object]]:
        """Every row's node with its path; of a place whose list of rows is null, a row that is null."""
        for number, node in raw:
            path = f"{operation}[{number}]"
            if not self.inside or not isinstance(node, dict):
                yield path, node
                continue
            path, listed = f"{path}.{self.inside}", node.get(self.inside)
            if isinstance(listed, dict):
                listed, path = listed.get("nodes"), f"{path}.nodes"
            if not isinstance(listed, list):
                yield path, None
                continue
            for place, row in enumerate(listed):
                yield f"{path}[{place}]", {**row, self.whole: node} if isinstance(row, dict) else row

    def place_of(self, node: object) -> Place | None:
        """The place of a row that cannot be read; ``None`` when it cannot be read either, or there is none."""
        if self.at is None:
            return None
        try:
            return self.at(convert(node, Where, strict=False))
        except (ValidationError, Malformed):
            return None

    def person_of(self, node: dict[str, object]) -> tuple[str, ...]:
        """The key of a user that cannot be read, when at least that is there."""
        key = node.get("personlopenummer") if self.at is None else None
        return (key,) if isinstance(key, str) and key else ()


def _roles(at: Callable[[Where], Place], inside: str = "", whole: str = "") -> _Read:
    return _Read(SourceKind.PERSONROLLE, Participation, _rolle_on(at), at, inside, whole)


_READS: dict[tuple[str, str], _Read] = {
    ("2026", "brukere"): _Read(SourceKind.BRUKER, Bruker, _bruker),
    ("2026", "semesterregistrerte"): _Read(SourceKind.BRUKER, Bruker, _bruker),
    ("2026", "emne_studieretter"): _Read(SourceKind.EMNESTUDIERETT, Participation, _emne_rett, places.at_ue),
    ("2026", "program_studieretter"): _Read(
        SourceKind.PROGRAMSTUDIERETT, Participation, _program_rett, places.at_program_or_kull
    ),
    ("2026", "klassemedlemskap"): _Read(SourceKind.KLASSEMEDLEMSKAP, Participation, _klasse_medlem, places.at_klasse),
    ("2026", "evu_kursdeltakelser"): _Read(SourceKind.EVU_DELTAKELSE, Participation, _evu_deltaker, places.at_kurs),
    ("2026", "enhetsroller"): _roles(places.at_enhet, "personroller", "organisasjonsenhet"),
    ("2026", "emneroller"): _roles(places.at_emne),
    ("2026", "undervisningsenhetsroller"): _roles(places.at_undervisningsenhet),
    ("2026", "undervisningsaktivitetsroller"): _roles(places.at_ua),
    ("2026", "studieprogramroller"): _roles(places.at_program),
    ("2026", "kullroller"): _roles(places.at_kull_of_role),
    ("2026", "klasseroller"): _roles(places.at_klasse),
    ("2026", "evu_kursroller"): _roles(places.at_kurs),
    ("2023", "studieprogramroller"): _roles(places.at_program, "personroller", "studieprogram"),
}
