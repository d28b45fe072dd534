"""The first and the last tasks of a run."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Context

from rosterflow.domain.errors import Code, FatalError
from rosterflow.domain.model import SourceKind
from rosterflow.domain.snapshot import Scope
from rosterflow.domain.windows import scope_on
from rosterflow.operators.institution import InstitutionOperator, approval_of, now
from rosterflow.sync.reading import plain_scope
from rosterflow.sync.reporting import as_lines, report
from rosterflow.sync.runs import close_run, mode_of, open_run, went_well


class OpenRunOperator(InstitutionOperator):
    """Writes down what a run is about. Returns its scope, for the reads.

    :param mode: what a run does whose form has no ``mode``.
    """

    def __init__(self, *, mode: str = "apply", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mode = mode

    def execute(self, context: Context) -> dict[str, Any]:
        """Decide mode and scope from the params and the run's date.

        :raises FatalError: ``settings-invalid``, ``store-outdated``.
        """
        dag_run = context["dag_run"]
        params = context["params"]
        run = open_run(
            self.store,
            self.settings,
            dag_id=dag_run.dag_id,
            dag_run_id=dag_run.run_id,
            mode=mode_of(params.get("mode", self.mode), dag_run.run_type.value),
            scope=self._scope(context),
            now=now(),
        )
        self.log.info("Run %d of %s: %s, terms %s", run.id, self.institution, run.mode, sorted(run.scope.terms))
        return dict(plain_scope(run.scope))

    def _scope(self, context: Context) -> Scope:
        """The terms in force on the run's own date, so that a run for a past day speaks about that day."""
        dag_run, params = context["dag_run"], context["params"]
        moment = dag_run.logical_date or dag_run.run_after
        return scope_on(
            moment.astimezone(self.settings.zone).date(),
            self.settings.terms,
            terms=params.get("terms") or (),
            sources=[SourceKind(kind) for kind in params.get("kinds") or ()],
            emnekoder=params.get("emnekoder") or (),
        )


class ReportOperator(InstitutionOperator):
    """Says what the run did, one line per kind, and fails the run when Canvas did not carry out the import."""

    def execute(self, context: Context) -> None:
        """Log the run's table.

        :raises FatalError: ``import-failed`` or ``import-aborted``; what was carried out is confirmed by now.
        """
        run = self.run_of(context)
        for line in as_lines(report(self.store, run.id, approval_id=approval_of(context))):
            self.log.info("%s", line)
        ended = run.counts.get("import_ended")
        if ended:
            code = Code.IMPORT_ABORTED if ended == "aborted" else Code.IMPORT_FAILED
            raise FatalError(code, f"{self.institution}: Canvas ended the SIS import as {ended!r}.")


class CloseRunOperator(InstitutionOperator):
    """Ends a run, however it went, and lets the next writer in. Used as a teardown."""

    def execute(self, context: Context) -> None:
        """Write down how the run ended."""
        dag_run, own = context["dag_run"], context["ti"].task_id
        by_run = context["ti"].get_task_states(dag_id=dag_run.dag_id, run_ids=[dag_run.run_id])
        states = {task: state for task, state in by_run.get(dag_run.run_id, {}).items() if task != own}
        close_run(
            self.store,
            self.settings,
            self.run_of(context),
            well=went_well([str(s) for s in states.values()]),
            now=now(),
        )
