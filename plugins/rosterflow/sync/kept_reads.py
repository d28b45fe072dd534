"""Which pages a run read, so that what it made of them can be explained for as long as they are kept.

The index lies beside the pages of the run, and is forgotten with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

from rosterflow.domain.fs.rows import FsSource
from rosterflow.domain.institution import Institution
from rosterflow.domain.mapping.people import PeopleSource
from rosterflow.store.runs import Run
from rosterflow.sync.pages import PageStore
from rosterflow.sync.reading import source_of
from rosterflow.sync.reading_people import Part, people_source

Names = Sequence[str]
"""Names of pages in the page store, in order."""


class KeptRead(NamedTuple):
    """What a run read.

    :param structure: the pages of each operation.
    :param people: the pages of each part.
    :param gaps: what is unknown of the structure; ``people_gaps`` of the people.
    """

    structure: Mapping[str, Names]
    people: Sequence[tuple[Part, Names]]
    gaps: Sequence[str] = ()
    people_gaps: Sequence[str] = ()


def keep_read(blobs: PageStore, run: Run, read: KeptRead) -> None:
    """Write down which pages a run read."""
    people = [{"operation": part.operation, "about": part.about, "pages": list(names)} for part, names in read.people]
    plain = {
        "structure": {operation: list(names) for operation, names in read.structure.items()},
        "people": people,
        "gaps": list(read.gaps),
        "people_gaps": list(read.people_gaps),
    }
    blobs.put(_name(run), plain)


def is_kept(blobs: PageStore, run: Run) -> bool:
    """Whether the pages of a run are still there."""
    if not blobs.exists(_name(run)):
        return False
    plain = blobs.get(_name(run))
    names = [*plain["structure"].values(), *(part["pages"] for part in plain["people"])]
    return all(blobs.exists(name) for some in names for name in some)


def sources_of(blobs: PageStore, institution: Institution, run: Run) -> tuple[FsSource, PeopleSource]:
    """What a run read, as the planning got it.

    :raises FatalError: ``rows-missing`` when the pages' retention is over, ``page-key-invalid``.
    """
    plain = blobs.get(_name(run))
    structure = {operation: _pages(blobs, names) for operation, names in plain["structure"].items()}
    parts = [
        (Part(part["operation"], {}, part["about"]), partial(_texts, blobs, part["pages"])) for part in plain["people"]
    ]
    people = people_source(institution.fs.dialect, parts, plain["people_gaps"])
    return source_of(institution, structure, plain["gaps"]), people


def _pages(blobs: PageStore, names: Iterable[str]) -> Iterator[list[Any]]:
    return (blobs.get(name) for name in names)


def _texts(blobs: PageStore, names: Iterable[str]) -> Iterator[bytes]:
    return (blobs.get_bytes(name) for name in names)


def _name(run: Run) -> str:
    dag_id, run_id = quote(run.dag_id, safe="="), quote(run.dag_run_id, safe="=")
    return f"xcom/{dag_id}/{run_id}/reads"
