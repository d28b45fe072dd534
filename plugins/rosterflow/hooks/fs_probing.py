"""What the Test button of FS finds out about people: which reads are refused, and in which FS names nobody.

Where an API user lacks a right, FS answers all the same, with null for the person (FS reference §2.4): a run would then
take nobody away, and send nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.errors import RosterflowError
from rosterflow.domain.fs.people import UnknownPerson
from rosterflow.domain.fs.people_nodes import people_rows
from rosterflow.hooks.fs_operations import (
    PEOPLE,
    Extent,
    Operation,
    Variables,
    operation_named,
    probe_of,
    variables_of,
)
from rosterflow.hooks.fs_paging import Page, Position

ROWS = 10
"""So many rows of a read are looked at: a single one may lack its person for a reason of its own."""
_STUDENTS = ("emne_studieretter", "program_studieretter", "klassemedlemskap")
_PERSONS = ("brukere", "semesterregistrerte", "evu_kursdeltakelser")

Read = Callable[[Operation, Variables, Position], Iterator[Page]]


def words_on_people(read: Read, extent: Extent) -> str:
    """A sentence or two about the reads of people, each of which is tried once.

    :param read: runs an operation and pages it.
    """
    refused: dict[str, str] = {}
    nameless: list[str] = []
    ids = {name: list(_ids(read, name, extent)) for name in ("terminer", "studieprogram", "evu_kurs")}
    for name in PEOPLE["2026"]:
        operation = operation_named(name, "2026")
        rows = 1 if name == "brukere" else ROWS
        try:
            page = next(read(operation, probe_of(operation, extent, ids), Position(page_size=rows)))
        except RosterflowError as error:
            refused[name] = error.message
        else:
            if _names_nobody(name, page.nodes):
                nameless.append(name)
    return " ".join(_words(refused, nameless))


def _ids(read: Read, name: str, extent: Extent) -> Iterator[str]:
    """Ids of some rows of the structure, by which people can be asked for."""
    operation = operation_named(name, "2026")
    page = next(read(operation, variables_of(operation, extent), Position(page_size=ROWS)))
    return (node["id"] for node in page.nodes if isinstance(node, dict) and node.get("id"))


def _names_nobody(name: str, nodes: Sequence[Any]) -> bool:
    """Whether there are people and FS says of none who they are; of all users, whether there is nobody at all."""
    rows = list(people_rows(name, "2026", nodes))
    unknown = [row for row in rows if isinstance(row, UnknownPerson | RowProblem)]
    return len(unknown) == len(rows) and (bool(rows) or name == "brukere")


def _words(refused: Mapping[str, str], nameless: Sequence[str]) -> Iterator[str]:
    if refused:
        yield f"Not possible of people: {', '.join(refused)} ({next(iter(refused.values())).rstrip('.')})."
    if nameless:
        rights = " and ".join(sorted(set(map(_right, nameless))))
        yield f"FS names nobody in {', '.join(nameless)}: that takes {rights} for the API user."
    if not refused and not nameless:
        yield "Every read of people works, too."


def _right(name: str) -> str:
    """The right in FS by which a read names its people (FS reference §2.4)."""
    if name in _PERSONS:
        return "PERSONDATA_LES1"
    return "STUDENTDATA_LES1" if name in _STUDENTS else "PERSONROLLE_LES1"
