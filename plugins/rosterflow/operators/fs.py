"""Reads of FS as Airflow tasks: one operation each, and large ones of people split over several mapped tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from airflow.sdk import Context, XComArg
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.sdk.execution_time.xcom import XCom
from airflow.sdk.types import RuntimeTaskInstanceProtocol

from rosterflow.domain.errors import Code, FatalError
from rosterflow.operators.institution import InstitutionOperator, defaults
from rosterflow.sync.cycles import undisturbed
from rosterflow.sync.reading import Checkpoint, operation_of, read_operation, scope_from, summary_of, variables_for
from rosterflow.sync.reading_people import STRUCTURE_NEEDED, Pages, Part, page_size_of, people_parts, structure_of
from rosterflow.xcom import EncryptedPages, StoredPage, page_store


def page_key(number: int) -> str:
    """The XCom key of a page, from 1: ``page_0001``."""
    return f"page_{number:04}"


class FSGraphQLOperator(InstitutionOperator):
    """Runs one operation for a run's scope and pushes each page as an XCom of its own (``page_0001`` …).

    A retry goes on behind the last page that was read; a task that was cleared by hand reads afresh. What was read
    stays in the page store for its retention. Returns counts only: ``operation``, ``pages``, ``rows``,
    ``first_cursor``, ``last_cursor``, ``complete`` and ``gaps``.

    :param operation: name of the operation (``undervisning``); the institution's dialect says which file it is.
    :param institution: key of the institution.
    :param scope: the run's scope as :func:`rosterflow.sync.reading.plain_scope` wrote it.
    :param variables: the operation's, of a part of a read of people; by default the scope says them.
    :param about: of such a part, which it is; Airflow's UI shows it.
    """

    template_fields: Sequence[str] = ("operation", "institution", "scope")
    ui_color = "#e3eefb"

    def __init__(
        self,
        *,
        operation: str,
        scope: Mapping[str, Any] | XComArg,
        variables: Mapping[str, Any] | None = None,
        about: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.operation = operation
        self.scope: Any = scope  # Airflow puts the value in the place of a reference before it is used
        self.variables = variables
        self.about = about

    @undisturbed
    def execute(self, context: Context) -> dict[str, Any]:
        """Read the operation, push its pages, return the counts.

        :raises RosterflowError: the class says what happens next; nothing of a failed read counts as complete.
        """
        # gql takes half a second to load, and every task process would load it with the DAG file.
        from rosterflow.hooks.fs import FSGraphQLHook

        if not issubclass(XCom, EncryptedPages):
            message = "Airflow must keep XComs with rosterflow.xcom.EncryptedPages: set [core] xcom_backend."
            raise FatalError(Code.SETTINGS_INVALID, message)
        ti = context["ti"]
        institution = self.settings
        operation = operation_of(institution, self.operation)
        variables = self.variables or variables_for(institution, scope_from(self.scope), operation)
        of_try = {"dag": ti.dag_id, "run": ti.run_id, "task": ti.task_id, "map": ti.map_index, "tries": ti.max_tries}
        what = {"operation": operation.name, "dialect": operation.dialect, "variables": variables}
        checkpoint = Checkpoint(page_store(), {**of_try, **what})
        kept = []
        fs, page_size = institution.fs, page_size_of(institution, operation)
        with FSGraphQLHook(fs.connection, settings=fs, institution=institution.key) as hook:
            for page in read_operation(hook, operation, variables, checkpoint, page_size=page_size):
                kept.append(page)
                ti.xcom_push(key=page_key(len(kept)), value=StoredPage(page.name))
        summary = summary_of(operation.name, kept)
        whole = "complete" if summary.complete else f"NOT complete ({len(summary.gaps)} gaps)"
        self.log.info("%s: %d rows on %d pages, %s", operation.name, summary.rows, summary.pages, whole)
        return {**asdict(summary), "gaps": list(summary.gaps)}


class SplitPeopleOperator(InstitutionOperator):
    """Splits a run's reads of people into parts, by the study structure that was read. Returns the parts.

    :param scope: the run's scope, as for :class:`FSGraphQLOperator`.
    :param reads: task id of each structure operation's read.
    """

    template_fields: Sequence[str] = ("institution", "scope", "reads")

    def __init__(self, *, scope: Mapping[str, Any] | XComArg, reads: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scope: Any = scope
        self.reads = dict(reads)

    @undisturbed
    def execute(self, context: Context) -> list[dict[str, Any]]:
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
        self.log.info("People are read in %d parts", len(parts))
        return [asdict(part) for part in parts]


def mapped_reads(
    task_id: str, institution: str, scope: Mapping[str, Any] | XComArg, parts: XComArg, **kwargs: Any
) -> MappedOperator:
    """The tasks that read people, one for each part.

    Where there is no part they are skipped: what follows them needs the trigger rule ``none_failed``.

    :param parts: what a :class:`SplitPeopleOperator` returned.
    """
    # A mapped task has only what it is told here: the operator's own defaults come too late for it.
    told = defaults(FSGraphQLOperator, {"map_index_template": "{{ task.operation }} {{ task.about }}", **kwargs})
    return FSGraphQLOperator.partial(task_id=task_id, institution=institution, scope=scope, **told).expand_kwargs(parts)


def people_read(
    ti: RuntimeTaskInstanceProtocol, task_id: str, parts: Iterable[Mapping[str, Any]]
) -> tuple[list[tuple[Part, Pages]], list[str]]:
    """Every part with what gives its pages, each pulled when it is asked for, and what is unknown of them.

    :param task_id: of the mapped tasks that read them.
    :param parts: what the :class:`SplitPeopleOperator` returned.
    :raises FatalError: ``rows-missing`` when a part was not read, or a page of it is not there (any more).
    """
    reads: list[tuple[Part, Pages]] = []
    gaps: list[str] = []
    for place, part in enumerate(Part(**plain) for plain in parts):
        summary = ti.xcom_pull(task_ids=task_id, map_indexes=place)
        if summary is None or summary["operation"] != part.operation:
            raise FatalError(Code.ROWS_MISSING, f"{task_id}: {part.operation} {part.about} was not read.")
        reads.append((part, partial(pages_of, ti, task_id, summary["pages"], place)))
        gaps.extend(summary["gaps"])
    return reads, gaps


def pages_of(
    ti: RuntimeTaskInstanceProtocol, task_id: str, count: int, map_index: int | None = None
) -> Iterator[list[Any]]:
    """The pages that an FS task of this run pushed, in order, each pulled when it is asked for.

    :param count: ``pages`` of what that task returned.
    :param map_index: which of several mapped tasks.
    :raises FatalError: ``rows-missing`` when a page is not there (any more).
    """
    which: dict[str, Any] = {} if map_index is None else {"map_indexes": map_index}
    for number in range(1, count + 1):
        nodes = ti.xcom_pull(task_ids=task_id, key=page_key(number), **which)
        if nodes is None:
            raise FatalError(Code.ROWS_MISSING, f"{task_id}: page {number} of {count} is not there (any more).")
        yield nodes
