"""The dialect of the source document: nested lists, nob/nno/eng, units without a parent (FS reference §5, D0).

It has no terms with dates (operation ``terminer``), no parent of a unit or of an activity, no last term of a course;
flags that its queries only filter on are not selected, which counts as true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.fs.dialect import Dialect, rows_of
from rosterflow.domain.fs.rows import Row

DIALECT = Dialect(
    has_nodes=False,
    kull_navn_required=False,
    emne_studieansvarlig="organisasjonsenhet.studieAnsvarlig",
    emne_administrativt_ansvarlig="organisasjonsenhet.administrativtAnsvarlig",
    program_studieansvarlig="organisasjonsenhet.studieansvarlig",
    program_kull="kull",
    kull_termin="termin",
    evu_kode="kurskode",
    evu_ansvarlig="administrativtAnsvarligEnhet",
)


def rows(operation: str, nodes: Iterable[object]) -> Iterator[Row | RowProblem]:
    """The typed rows of an operation's root nodes; see :func:`rosterflow.domain.fs.dialect.rows_of`."""
    return rows_of(DIALECT, operation, nodes)
