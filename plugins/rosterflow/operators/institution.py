"""What every task about one institution has in common."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from airflow.sdk import BaseOperator, Context

from rosterflow.domain.errors import Code, FatalError
from rosterflow.domain.institution import Institution
from rosterflow.hooks.canvas import CanvasHook
from rosterflow.operators.retry import ByErrorClass
from rosterflow.settings import environment, institutions_folder, load_institution
from rosterflow.store import approvals, plans, runs
from rosterflow.store.engine import Store
from rosterflow.store.runs import Run
from rosterflow.sync.pages import PageStore
from rosterflow.sync.runs import keep_lease
from rosterflow.xcom import page_store

RETRYING: dict[str, Any] = {
    "retries": 4,  # Airflow 3.3 loses some quick deferrals (Airflow findings §0.3)
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
}


def defaults(operator: type[BaseOperator], given: Mapping[str, Any]) -> dict[str, Any]:
    """What a task of ours has unless it, or its DAG's ``default_args``, says otherwise: retries, and a word in the UI.

    :param given: the keyword arguments of its creation.
    """
    ours = {**RETRYING, "retry_policy": ByErrorClass(), "doc_md": inspect.getdoc(operator)}
    of_dag = given.get("default_args") or {}
    return {**{name: value for name, value in ours.items() if name not in of_dag}, **given}


def now() -> datetime:
    """The present, aware; use cases are told it."""
    return datetime.now(UTC)


class TenantOperator(BaseOperator):
    """A task about one institution or college.

    :param institution: its key.
    """

    template_fields: Sequence[str] = ("institution",)

    def __init__(self, *, institution: str, **kwargs: Any) -> None:
        super().__init__(**defaults(type(self), kwargs))
        self.institution = institution

    @cached_property
    def store(self) -> Store:
        """Our own database."""
        here = environment()
        return Store(here.database_url, here.page_keys)

    def run_of(self, context: Context) -> Run:
        """Our record of the DAG run that this task belongs to.

        :raises FatalError: ``unexpected`` when its first task never ran.
        """
        dag_run = context["dag_run"]
        with self.store.begin() as connection:
            run = runs.find_run(connection, dag_run.dag_id, dag_run.run_id)
        if run is None:
            raise FatalError(Code.UNEXPECTED, f"The run {dag_run.run_id} was never opened.")
        return run


class InstitutionOperator(TenantOperator):
    """A task about one institution."""

    @cached_property
    def settings(self) -> Institution:
        """The institution's settings."""
        return load_institution(institutions_folder() / f"{self.institution}.yaml")

    @cached_property
    def blobs(self) -> PageStore:
        """Where pages and zips are kept."""
        return page_store()

    @cached_property
    def canvas(self) -> CanvasHook:
        """The institution's Canvas."""
        return CanvasHook(self.settings.canvas.connection)

    def writing_run(self, context: Context) -> Run:
        """The same record, of a run that is the one writer; it takes up the lease again when it was cleared by hand.

        :raises FatalError: ``plan-stale`` when another run has written since.
        """
        return keep_lease(self.store, self.settings, self.run_of(context), now())

    def plan_of(self, context: Context) -> int:
        """Id of the plan that the run is about: the one it made, or the one it was asked to approve changes of.

        :raises FatalError: ``unexpected`` when it made none; ``request-unknown`` for a request of somebody else.
        """
        approval_id = approval_of(context)
        with self.store.begin() as connection:
            if approval_id is not None:
                return approvals.get_approval(connection, self.institution, approval_id).plan_id
            plan = plans.plan_of_run(connection, self.run_of(context).id)
        if plan is None:
            raise FatalError(Code.UNEXPECTED, f"The run {context['dag_run'].run_id} has no plan.")
        return plan.id


def approval_of(context: Context) -> int | None:
    """The request for approval that the DAG run is about, if it is about one."""
    number = context["params"].get("approval_id")
    return int(number) if number is not None else None
