"""Reads of FS as Airflow tasks: one operation each, and large ones of people split over several mapped tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any

from airflow.sdk import Context, XComArg
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.sdk.execution_time.xcom import XCom
from airflow.sdk.types import RuntimeTaskInstanceProtocol

from rosterflow.domain.errors import Code, FatalError
from rosterflow.hooks.fs_operations import Operation
from rosterflow.operators.institution import InstitutionOperator, defaults
from rosterflow.sync.cycles import undisturbed
from rosterflow.sync.reading import (
    Checkpoint,
    Summary,
    operation_of,
    read_operation,
    scope_from,
    summary_of,
    variables_for,
)
from rosterflow.sync.reading_people import (
    STRUCTURE_NEEDED,
    Part,
    batches,
    page_size_of,
    people_parts,
    structure_of,
)
from rosterflow.xcom import EncryptedPages, StoredPage, blob_name, page_store


def page_key(number: int) -> str:
    """The XCom key of a page, from 1: ``page_0001``."""
    return f"page_{number:04}"


class ReadsFs(InstitutionOperator):
    """A task that reads operations of FS and pushes each page as an XCom of its own (``page_0001`` …).

    A retry goes on behind the last page that was read; a task that was cleared by hand reads afresh. What was read
    stays in the page store for its retention.
    """

    ui_color = "#e3eefb"

    def read(self, ti: Any, asked: Iterable[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
        """Read operations with their variables, one after the other, and count what each came to.

        :raises RosterflowError: the class says what happens next; nothing of a failed read counts as complete.
        """
        # gql takes half a second to load, and every task process would load it with the DAG file.
        from rosterflow.hooks.fs import FSGraphQLHook

        if not issubclass(XCom, EncryptedPages):
            message = "Airflow must keep XComs with rosterflow.xcom.EncryptedPages: set [core] xcom_backend."
            raise FatalError(Code.SETTINGS_INVALID, message)
        institution = self.settings
        numbers = count(1)
        summaries = []
        conn_id, settings = institution.fs.connection, institution.fs
        with FSGraphQLHook(conn_id, settings=settings, institution=institution.key, rows_as_text=True) as hook:
            for name, variables in asked:
                operation = operation_of(institution, name)
                size = page_size_of(institution, operation)
                kept = []
                checkpoint = self._checkpoint(ti, operation, variables)
                for page in read_operation(hook, operation, variables, checkpoint, page_size=size):
                    kept.append(page)
                    ti.xcom_push(key=page_key(next(numbers)), value=StoredPage(page.name))
                summaries.append(self._counted(summary_of(name, kept)))
        return summaries

    def _checkpoint(self, ti: Any, operation: Operation, variables: Mapping[str, Any]) -> Checkpoint:
        of_try = {"dag": ti.dag_id, "run": ti.run_id, "task": ti.task_id, "map": ti.map_index, "tries": ti.max_tries}
        what = {"operation": operation.name, "dialect": operation.dialect, "variables": variables}
        return Checkpoint(page_store(), {**of_try, **what})

    def _counted(self, summary: Summary) -> dict[str, Any]:
        whole = "complete" if summary.complete else f"NOT complete ({len(summary.gaps)} gaps)"
        self.log.info("%s: %d rows on %d pages, %s", summary.operation, summary.rows, summary.pages, whole)
        return {**asdict(summary), "gaps": list(summary.gaps)}


class FSGraphQLOperator(ReadsFs):
    """Runs one operation for a run's scope and pushes each page as an XCom of its own (``page_0001`` …).

    A retry goes on behind the last page that was read; a task that was cleared by hand reads afresh. Returns counts
    only: ``operation``, ``pages``, ``rows``, ``first_cursor``, ``last_cursor``, ``complete`` and ``gaps``.

    :param operation: name of the operation (``undervisning``); the institution's dialect says which file it is.
    :param institution: key of the institution.
    :param scope: the run's scope as :func:`rosterflow.sync.reading.plain_scope` wrote it.
    """

    template_fields: Sequence[str] = ("operation", "institution", "scope")

    def __init__(self, *, operation: str, scope: Mapping[str, Any] | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.operation = operation
        self.scope: Any = scope  # Airflow puts the value in the place of a reference before it is used

    @undisturbed
    def execute(self, context: Context) -> dict[str, Any]:
        """Read the operation, push its pages, return the counts.

        :raises RosterflowError: the class says what happens next; nothing of a failed read counts as complete.
        """
        operation = operation_of(self.settings, self.operation)
        variables = variables_for(self.settings, scope_from(self.scope), operation)
        return self.read(context["ti"], [(operation.name, variables)])[0]


class ReadPeopleOperator(ReadsFs):
    """Reads some parts of a run's people, one after the other, with their pages numbered through.

    Returns the counts of each part, as :class:`FSGraphQLOperator` returns them of its one.

    :param parts: one of the batches that a :class:`SplitPeopleOperator` returned.
    """

    def __init__(self, *, parts: Sequence[Mapping[str, Any]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.parts = parts

    @property
    def about(self) -> str:
        """What it reads, for the UI: ``emne_studieretter 3 of 25``, or the first and the last of several parts."""
        return " … ".join(dict.fromkeys(Part(**plain).title for plain in (self.parts[0], self.parts[-1])))

    @undisturbed
    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Read the parts, push their pages, return the counts of each.

        :raises RosterflowError: the class says what happens next; nothing of a failed read counts as complete.
        """
        return self.read(context["ti"], [(part["operation"], part["variables"]) for part in self.parts])


class SplitPeopleOperator(InstitutionOperator):
    """Splits a run's reads of people into parts, by the study structure that was read.

    Returns the parts in batches, each of them for one task.

    :param scope: the run's scope, as for :class:`FSGraphQLOperator`.
    :param reads: task id of each structure operation's read.
    """

    template_fields: Sequence[str] = ("institution", "scope", "reads")

    def __init__(self, *, scope: Mapping[str, Any] | XComArg, reads: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scope: Any = scope
        self.reads = dict(reads)

    @undisturbed
    def execute(self, context: Context) -> list[list[dict[str, Any]]]:
        """Split.

        :raises FatalError: ``rows-missing`` when a read of the structure, or a page of it, is not there (any more).
        """
        ti, scope = context["ti"], scope_from(self.scope)
        pages = {}
        for operation in STRUCTURE_NEEDED[self.settings.fs.dialect]:
            summary = ti.xcom_pull(task_ids=self.reads[operation])
            if summary is None:
                raise FatalError(Code.ROWS_MISSING, f"{self.institution}: nothing was read for {operation}.")
            pages[operation] = pages_of(ti, self.reads[operation], summary["pages"])
        parts = people_parts(self.settings, scope, structure_of(scope, pages))
        made = batches(self.settings, parts)
        self.log.info("People are read in %d parts by %d tasks", len(parts), len(made))
        return [[asdict(part) for part in batch] for batch in made]


def mapped_reads(task_id: str, institution: str, parts: XComArg, **kwargs: Any) -> MappedOperator:
    """The tasks that read people, one for each batch of parts.

    Where there is no part they are skipped: what follows them needs the trigger rule ``none_failed``.

    :param parts: what a :class:`SplitPeopleOperator` returned.
    """
    # A mapped task has only what it is told here: the operator's own defaults come too late for it.
    told = defaults(ReadPeopleOperator, {"map_index_template": "{{ task.about }}", **kwargs})
    return ReadPeopleOperator.partial(task_id=task_id, institution=institution, **told).expand(parts=parts)


@dataclass(frozen=True, slots=True)
class PulledPages:
    """The pages that an FS task of this run pushed; calling it pulls them, in order, each when it is asked for.

    :param count: ``pages`` of what that task returned.
    :param map_index: which of several mapped tasks; -1 when it is not mapped.
    :param first: the number of the first of them.
    """

    ti: RuntimeTaskInstanceProtocol
    task_id: str
    count: int
    map_index: int = -1
    first: int = 1

    def __call__(self) -> Iterator[list[Any]]:
        """Pull them; raises as :func:`pages_of` does."""
        which = None if self.map_index < 0 else self.map_index
        return pages_of(self.ti, self.task_id, self.count, which, self.first)

    def texts(self) -> Iterator[bytes | list[Any]]:
        """Pull them as JSON, as far as they come from the page store; raises as :func:`pages_of` does."""
        return (getattr(page, "text", page) for page in self())

    @property
    def names(self) -> list[str]:
        """Their names in the page store."""
        keys = map(page_key, range(self.first, self.first + self.count))
        return [blob_name(self.ti.dag_id, self.ti.run_id, self.task_id, self.map_index, key) for key in keys]


def people_read(
    ti: RuntimeTaskInstanceProtocol, task_id: str, made: Iterable[Iterable[Mapping[str, Any]]]
) -> tuple[list[tuple[Part, PulledPages]], list[str]]:
    """Every part with what gives its pages, each pulled when it is asked for, and what is unknown of them.

    :param task_id: of the mapped tasks that read them.
    :param made: the batches that the :class:`SplitPeopleOperator` returned.
    :raises FatalError: ``rows-missing`` when a part was not read, or a page of it is not there (any more).
    """
    reads: list[tuple[Part, PulledPages]] = []
    gaps: list[str] = []
    for place, batch in enumerate(made):
        summaries = iter(ti.xcom_pull(task_ids=task_id, map_indexes=place) or ())
        first = 1
        for part in (Part(**plain) for plain in batch):
            summary = next(summaries, None)
            if summary is None or summary["operation"] != part.operation:
                raise FatalError(Code.ROWS_MISSING, f"{task_id}: {part.title} was not read.")
            reads.append((part, PulledPages(ti, task_id, summary["pages"], place, first)))
            gaps.extend(summary["gaps"])
            first += summary["pages"]
    return reads, gaps


def pages_of(
    ti: RuntimeTaskInstanceProtocol, task_id: str, pages: int, map_index: int | None = None, first: int = 1
) -> Iterator[list[Any]]:
    """The pages that an FS task of this run pushed, in order, each pulled when it is asked for.

    :param pages: ``pages`` of what that task returned.
    :param map_index: which of several mapped tasks.
    :param first: the number of the first of them.
    :raises FatalError: ``rows-missing`` when a page is not there (any more).
    """
    which: dict[str, Any] = {} if map_index is None else {"map_indexes": map_index}
    for number in range(first, first + pages):
        nodes = ti.xcom_pull(task_ids=task_id, key=page_key(number), **which)
        if nodes is None:
            raise FatalError(Code.ROWS_MISSING, f"{task_id}: page {number} is not there (any more).")
        yield nodes
