"""One read of FS as an Airflow task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from airflow.sdk import Context, XComArg
from airflow.sdk.execution_time.xcom import XCom
from airflow.sdk.types import RuntimeTaskInstanceProtocol

from rosterflow.domain.errors import Code, FatalError
from rosterflow.operators.institution import InstitutionOperator
from rosterflow.sync.cycles import undisturbed
from rosterflow.sync.reading import Checkpoint, operation_of, read_operation, scope_from, summary_of, variables_for
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
    """

    template_fields: Sequence[str] = ("operation", "institution", "scope")
    ui_color = "#e3eefb"

    def __init__(self, *, operation: str, scope: Mapping[str, Any] | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.operation = operation
        self.scope: Any = scope  # Airflow puts the value in the place of a reference before it is used

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
        variables = variables_for(institution, scope_from(self.scope), operation)
        of_try = {"dag": ti.dag_id, "run": ti.run_id, "task": ti.task_id, "map": ti.map_index, "tries": ti.max_tries}
        what = {"operation": operation.name, "dialect": operation.dialect, "variables": variables}
        checkpoint = Checkpoint(page_store(), {**of_try, **what})
        kept = []
        fs = institution.fs
        with FSGraphQLHook(fs.connection, settings=fs, institution=institution.key) as hook:
            for page in read_operation(hook, operation, variables, checkpoint, page_size=fs.page_size):
                kept.append(page)
                ti.xcom_push(key=page_key(len(kept)), value=StoredPage(page.name))
        summary = summary_of(operation.name, kept)
        whole = "complete" if summary.complete else f"NOT complete ({len(summary.gaps)} gaps)"
        self.log.info("%s: %d rows on %d pages, %s", operation.name, summary.rows, summary.pages, whole)
        return {**asdict(summary), "gaps": list(summary.gaps)}


def pages_of(ti: RuntimeTaskInstanceProtocol, task_id: str, count: int) -> Iterator[list[Any]]:
    """The pages that an FS task of this run pushed, in order, each pulled when it is asked for.

    :param count: ``pages`` of what that task returned.
    :raises FatalError: ``rows-missing`` when a page is not there (any more).
    """
    for number in range(1, count + 1):
        nodes = ti.xcom_pull(task_ids=task_id, key=page_key(number))
        if nodes is None:
            raise FatalError(Code.ROWS_MISSING, f"{task_id}: page {number} of {count} is not there (any more).")
        yield nodes
