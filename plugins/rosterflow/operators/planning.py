"""Planning: where do we stand, what is to be done, and what may be done without asking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from rosterflow.domain.errors import Code, FatalError, RetryableError
from rosterflow.domain.model import SourceKind
from rosterflow.operators.fs import PulledPages, people_read
from rosterflow.operators.institution import InstitutionOperator, defaults, now
from rosterflow.operators.waiting import WaitsForCanvas
from rosterflow.sync.guarding import guard_plan
from rosterflow.sync.kept_reads import KeptRead, keep_read
from rosterflow.sync.planning import make_plan
from rosterflow.sync.reading import source_of
from rosterflow.sync.reading_people import people_source
from rosterflow.sync.reported import reported_kinds
from rosterflow.sync.runs import take_lease
from rosterflow.sync.settling import settle_imports, take_base
from rosterflow.triggers.canvas import Awaited


class SettleOperator(WaitsForCanvas, InstitutionOperator):
    """Becomes the one writer, sees to imports that an earlier run left behind, and takes the base from Canvas.

    It is in no pool: while it waits for another writer, that writer needs the slot.
    """

    def execute(self, context: Context) -> Any:
        """Settle; on first contact, order a provisioning report and wait for it."""
        try:
            run = take_lease(self.store, self.settings, self.run_of(context), now())
            based = not settle_imports(self.store, self.canvas, self.settings, run, now())
        except RetryableError as error:
            if error.code not in (Code.WRITER_BUSY, Code.IMPORT_SLOW, Code.IMPORT_LOST):
                raise
            self.log.info("%s", error.message)
            return self.come_back(error.retry_after)
        if based:
            return {"based": False}
        ordered = self.canvas.start_provisioning_report(reported_kinds(self.settings))
        return self.wait_for(Awaited.REPORT, ordered.id, context)

    def over(self, context: Context, awaited: Awaited, canvas_id: str) -> dict[str, Any]:
        """Take the base from the report."""
        found = self.report_of(canvas_id)
        counts = take_base(self.store, self.settings, self.run_of(context), found, now())
        self.log.info("Base taken from Canvas: %s", ", ".join(f"{n} {kind}s" for kind, n in counts.items()))
        return {"based": True, **{str(kind): n for kind, n in counts.items()}}


class PlanOperator(InstitutionOperator):
    """Maps what was read, compares it with what Canvas confirmed, and stores the plan. Returns its id.

    :param reads: task id of each structure operation's read.
    :param people: task ids of what split the reads of people, and of the mapped tasks that read them.
    """

    template_fields: Sequence[str] = ("institution", "reads", "people")

    def __init__(self, *, reads: Mapping[str, str], people: tuple[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reads = dict(reads)
        self.people = people

    def execute(self, context: Context) -> dict[str, Any]:
        """Plan.

        :raises FatalError: ``empty-read``; ``rows-missing`` when a page's retention is over.
        """
        run, ti = self.writing_run(context), context["ti"]
        accepted = [SourceKind(kind) for kind in context["params"].get("accept_empty") or ()]
        structure, gaps = self._structure(ti)
        split, read = self.people
        people, people_gaps = people_read(ti, read, ti.xcom_pull(task_ids=split) or ())
        of_structure = {name: pages.names for name, pages in structure.items()}
        of_people = [(part, pages.names) for part, pages in people]
        keep_read(self.blobs, run, KeptRead(of_structure, of_people, gaps, people_gaps))
        plan_id = make_plan(
            self.store,
            self.settings,
            run,
            source_of(self.settings, {name: pages() for name, pages in structure.items()}, gaps),
            people_source(self.settings.fs.dialect, [(part, pages.texts) for part, pages in people], people_gaps),
            accept_empty=accepted,
            now=now(),
        )
        self.log.info("Plan %d: python -m rosterflow plan show --plan %d", plan_id, plan_id)
        return {"plan_id": plan_id}

    def _structure(self, ti: Any) -> tuple[dict[str, PulledPages], list[str]]:
        """The pages of each operation, and what is unknown of them."""
        summaries = {name: ti.xcom_pull(task_ids=task) for name, task in self.reads.items()}
        missing = [name for name, summary in summaries.items() if summary is None]
        if missing:
            raise FatalError(Code.ROWS_MISSING, f"{self.institution}: nothing was read for {', '.join(missing)}.")
        pages = {name: PulledPages(ti, self.reads[name], summary["pages"]) for name, summary in summaries.items()}
        return pages, [gap for summary in summaries.values() for gap in summary["gaps"]]


class GuardOperator(InstitutionOperator):
    """Splits the plan into what goes on and what is held. Returns both counts."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Guard."""
        guarded = guard_plan(self.store, self.settings, self.writing_run(context), self.plan_of(context), now())
        self.log.info("%d changes allowed, %d held", guarded.allowed, guarded.held)
        return {"allowed": guarded.allowed, "held": guarded.held, "ask": guarded.ask}


class AskApprovalOperator(TriggerDagRunOperator):
    """Starts the approval of held changes in a DAG of its own, so that nothing here waits for a person.

    :param guarded_by: task id of the guard, which says whom to ask about what.
    """

    def __init__(self, *, institution: str, guarded_by: str, **kwargs: Any) -> None:
        trigger = {"trigger_dag_id": f"canvas_approval__{institution}", "skip_when_already_exists": True}
        super().__init__(**defaults(type(self), {**trigger, **kwargs}))
        self.guarded_by = guarded_by

    def execute(self, context: Context) -> None:
        """Ask, once for each request.

        A task can start one DAG run. Should an earlier run have been killed before it asked, its request is the oldest
        that nobody asked about, so it comes first; the next run asks about this one's.

        :raises AirflowSkipException: when there is nothing to ask.
        """
        ti = context["ti"]
        asked = {number: f"approval__{number}" for number in ti.xcom_pull(task_ids=self.guarded_by)["ask"]}
        new = [n for n, run_id in asked.items() if not ti.get_dr_count(dag_id=self.trigger_dag_id, run_ids=[run_id])]
        if not new:
            raise AirflowSkipException("Nothing is held that nobody was asked about yet.")
        self.conf = {"approval_id": new[0]}
        self.trigger_run_id = asked[new[0]]
        super().execute(context)
