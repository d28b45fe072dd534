"""The GraphQL operations that read FS: their documents, and how each is paged.

An operation is a file ``include/graphql/fs/<dialect>/<name>.graphql``; its fragments are resolved by name from
``fragments/``. Dialect 2026 is FS's schema of January 2026, dialect 2023 the one of the source document
"FS til Canvas" (FS reference §5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    Visitor,
    parse,
    visit,
)

from rosterflow.domain.errors import Code, FatalError
from rosterflow.settings import graphql_folder

Row = Mapping[str, Any]
Variables = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Nested:
    """A connection inside the rows of another.

    FS's ``node(id)`` is not open to us, so a nested connection is paged on by running its operation again with filters
    that single out the row it hangs on; the row is then recognised by its id.

    :param field: the connection's name in the row.
    :param after: the variable that takes its cursor.
    :param owner: the variables that single out a given row; ``None`` when the row lacks what that takes.
    :param nested: the connections inside its own rows.
    """

    field: str
    after: str
    owner: Callable[[Row], Variables | None]
    nested: tuple[Nested, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One read of FS.

    :param name: the operation's name, which is the file's.
    :param dialect: ``2026`` or ``2023``.
    :param root: the root field, a connection.
    :param nested: the connections inside its rows; dialect 2023 has plain lists instead.
    """

    name: str
    dialect: str
    root: str
    nested: tuple[Nested, ...] = ()


def _emne(row: Row) -> Variables | None:
    return {"emnekoder": [row["kode"]]} if row.get("kode") else None


def _undervisningsenhet(row: Row) -> Variables | None:
    termin = row.get("termin") or {}
    if not termin.get("id") or row.get("terminnummer") is None:
        return None
    return {"terminer": [termin["id"]], "terminnumre": [row["terminnummer"]]}


def _studieprogram(row: Row) -> Variables | None:
    return {"kodeStartsWith": row["kode"]} if row.get("kode") else None


def _kull(row: Row) -> Variables | None:
    termin = row.get("terminV2") or {}
    return {"kullterminer": [termin["id"]]} if termin.get("id") else None


def _unit(row: Row) -> Variables:
    return {}  # no filter singles out a unit by what a row of it holds: the units are paged until it comes again


_AKTIVITETER = Nested("undervisningsaktiviteter", "afterUndervisningsaktiviteter", _undervisningsenhet)
_ENHETER = Nested("undervisningsenheter", "afterUndervisningsenheter", _emne, (_AKTIVITETER,))
_KLASSER = Nested("klasser", "afterKlasser", _kull)
_KULL = Nested("kullV2", "afterKull", _studieprogram, (_KLASSER,))

_ALL = (
    Operation("terminer", "2026", "terminer"),
    Operation("organisasjonsenheter", "2026", "organisasjonsenheter"),
    Operation("emner", "2026", "emnerV2"),
    Operation("studieprogram", "2026", "studieprogramV2", (_KULL,)),
    Operation("evu_kurs", "2026", "evuKurs"),
    Operation("undervisning", "2026", "emnerV2", (_ENHETER,)),
    Operation("enkeltemne", "2026", "emnerV2", (Nested("undervisningsenheter", "afterUndervisningsenheter", _emne),)),
    Operation("brukere", "2026", "brukere"),
    Operation("semesterregistrerte", "2026", "brukere"),
    Operation("emne_studieretter", "2026", "emneStudieretter"),
    Operation("program_studieretter", "2026", "programStudieretter"),
    Operation("klassemedlemskap", "2026", "klassemedlemskap"),
    Operation("evu_kursdeltakelser", "2026", "evuKursdeltakelser"),
    Operation("enhetsroller", "2026", "organisasjonsenheter", (Nested("personroller", "afterPersonroller", _unit),)),
    Operation("emneroller", "2026", "emneroller"),
    Operation("undervisningsenhetsroller", "2026", "undervisningsenhetsroller"),
    Operation("undervisningsaktivitetsroller", "2026", "undervisningsaktivitetsroller"),
    Operation("studieprogramroller", "2026", "studieprogramroller"),
    Operation("kullroller", "2026", "kullroller"),
    Operation("klasseroller", "2026", "klasseroller"),
    Operation("evu_kursroller", "2026", "evuKursroller"),
    Operation("organisasjonsenheter", "2023", "organisasjonsenheter"),
    Operation("emner", "2023", "emner"),
    Operation("studieprogram", "2023", "studieprogram"),
    Operation("evu_kurs", "2023", "evuKurs"),
    Operation("undervisning", "2023", "emner"),
    Operation("enkeltemne", "2023", "emner"),
    Operation("studieprogramroller", "2023", "studieprogram"),
)
OPERATIONS: Mapping[tuple[str, str], Operation] = {(one.dialect, one.name): one for one in _ALL}
"""Every operation, by dialect and name."""

STRUCTURE: Mapping[str, tuple[str, ...]] = {
    "2026": ("terminer", "organisasjonsenheter", "emner", "studieprogram", "evu_kurs", "undervisning"),
    "2023": ("organisasjonsenheter", "emner", "studieprogram", "evu_kurs", "undervisning"),
}
"""The operations that together are the study structure, by dialect; 2023 has no terms."""

PEOPLE: Mapping[str, tuple[str, ...]] = {
    "2026": (
        "brukere",
        "semesterregistrerte",
        "emne_studieretter",
        "program_studieretter",
        "klassemedlemskap",
        "evu_kursdeltakelser",
        "enhetsroller",
        "emneroller",
        "undervisningsenhetsroller",
        "undervisningsaktivitetsroller",
        "studieprogramroller",
        "kullroller",
        "klasseroller",
        "evu_kursroller",
    ),
    "2023": ("studieprogramroller",),
}
"""The operations that together are the people, by dialect; those of 2023 name nobody."""


def operation_named(name: str, dialect: str) -> Operation:
    """The operation of that name.

    :raises FatalError: ``settings-invalid`` when the dialect has no such operation.
    """
    if operation := OPERATIONS.get((dialect, name)):
        return operation
    known = ", ".join(sorted(name for known_dialect, name in OPERATIONS if known_dialect == dialect))
    raise FatalError(Code.SETTINGS_INVALID, f"FS dialect {dialect} has no operation {name!r}; it has: {known}.")


@dataclass(frozen=True, slots=True)
class Extent:
    """What of an institution's study structure is read.

    :param number: the institution's number.
    :param year: year of the earliest term.
    :param term: that term as FS's enums spell it: ``HOST``, ``VAR`` or ``SOM``.
    :param years: years whose terms are read.
    :param nested: rows asked for in a nested page.
    :param emnekoder: only these emner, ``None`` for all.
    """

    number: str
    year: int
    term: str
    years: tuple[int, ...]
    nested: int
    emnekoder: tuple[str, ...] | None = None


def variables_of(operation: Operation, extent: Extent) -> dict[str, Any]:
    """The variables of an operation, without those of paging."""
    old = operation.dialect == "2023"
    variables: dict[str, Any] = {"inst" if old else "organisasjonskode": extent.number}
    if operation.nested:
        variables["nested"] = extent.nested
    if operation.name == "terminer":
        variables["arstall"] = list(extent.years)
    if operation.name in ("emner", "undervisning"):
        if old:
            variables |= {"aar": extent.year, "termin": extent.term}
        else:
            variables["ikkeUtloptITermin"] = {"arstall": extent.year, "terminbetegnelse": extent.term}
    if operation.name == "undervisning" and not old:
        variables["fraTermin"] = {"arstall": extent.year, "betegnelse": extent.term}
    if operation.name in ("emner", "undervisning", "enkeltemne") and extent.emnekoder is not None:
        variables["emneKode" if old else "emnekoder"] = sorted(extent.emnekoder)
    return variables


def probe_of(operation: Operation, extent: Extent, ids: Mapping[str, list[str]]) -> dict[str, Any]:
    """Variables that find out whether an operation of people may be run, and ask for as little as they can.

    :param ids: of some terms (``terminer``), study programmes (``studieprogram``) and EVU courses (``evu_kurs``).
    """
    variables: dict[str, Any] = {} if operation.name == "klassemedlemskap" else {"organisasjonskode": extent.number}
    match operation.name:
        case "brukere":
            return variables | {"brukergrupper": [{"fagpersonfilter": {"erAktiv": [True]}}]}
        case "enhetsroller":
            return variables | {"nested": 100}
        case "program_studieretter" | "klassemedlemskap":
            return variables | {"studieprogrammer": ids["studieprogram"]}
        case "evu_kursdeltakelser":
            return variables | {"evuKurs": ids["evu_kurs"]}
        case (
            "semesterregistrerte" | "emne_studieretter" | "undervisningsenhetsroller" | "undervisningsaktivitetsroller"
        ):
            return variables | {"terminer": ids["terminer"]}
    period = {"fraDato": f"{extent.year}-01-01", "tilDato": f"{extent.year}-12-31"}
    exported = {"skalEksporteresTilLms": True} if operation.name == "studieprogramroller" else {}
    return variables | exported | {"aktivInnenforPeriode": period}


class _Spreads(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        self.names.append(node.name.value)


def document_of(operation: Operation) -> DocumentNode:
    """The operation's document with every fragment it needs, parsed once."""
    return _document(graphql_folder() / "fs" / operation.dialect, operation.name)


@cache
def _document(folder: Path, name: str) -> DocumentNode:
    definitions: list[OperationDefinitionNode | FragmentDefinitionNode] = []
    waiting, done = [folder / f"{name}.graphql"], set[str]()
    while waiting:
        part = parse(waiting.pop().read_text(encoding="utf-8"))
        definitions.extend(
            one for one in part.definitions if isinstance(one, OperationDefinitionNode | FragmentDefinitionNode)
        )
        spreads = _Spreads()
        visit(part, spreads)
        for fragment in sorted(set(spreads.names) - done):
            done.add(fragment)
            waiting.append(folder / "fragments" / f"{fragment}.graphql")
    return DocumentNode(definitions=tuple(definitions))
