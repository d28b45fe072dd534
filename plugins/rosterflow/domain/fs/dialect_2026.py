"""The dialect of 2026: connections everywhere, ``…V2`` members, nb/nn/en (FS reference §5, the shapes of 2026)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.fs.dialect import Dialect, rows_of
from rosterflow.domain.fs.rows import Row

DIALECT = Dialect(
    has_nodes=True,
    kull_navn_required=True,
    emne_studieansvarlig="studieansvarligOrganisasjonsenhet",
    emne_administrativt_ansvarlig="administrativtAnsvarligOrganisasjonsenhet",
    program_studieansvarlig="studieansvarligOrganisasjonsenhet",
    program_kull="kullV2",
    kull_termin="terminV2",
    evu_kode="kode",
    evu_ansvarlig="administrativtAnsvarligOrganisasjonsEnhet",
)


def rows(operation: str, nodes: Iterable[object]) -> Iterator[Row | RowProblem]:
    """The typed rows of an operation's root nodes; see :func:`rosterflow.domain.fs.dialect.rows_of`."""
    return rows_of(DIALECT, operation, nodes)
