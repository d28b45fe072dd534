"""What a run did, as a table: one row for each kind of object, or of people's roles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from rich.table import Table

from rosterflow.domain.model import Kind
from rosterflow.domain.plan import REMOVALS, Action
from rosterflow.store import plans, runs, tallies
from rosterflow.store.engine import Store
from rosterflow.store.plans import ChangeState
from rosterflow.store.runs import Run


@dataclass(frozen=True, slots=True)
class Row:
    """What became of the changes of one kind of object.

    :param updated: changed, re-opened or renamed.
    :param removed: closed, hidden or deleted.
    :param held: waiting for a person.
    :param frozen: waiting for the end of a freeze.
    :param refused: Canvas refused them; they are tried again later.
    :param kept: Canvas accepted them and kept what people had changed there by hand.
    :param open: planned or sent, and not confirmed.
    :param dropped: withdrawn, rejected or no longer true, so they were not sent.
    :param unchanged: objects in scope that are as they should be.
    """

    kind: Kind
    created: int = 0
    updated: int = 0
    removed: int = 0
    held: int = 0
    frozen: int = 0
    refused: int = 0
    kept: int = 0
    open: int = 0
    dropped: int = 0
    unchanged: int = 0

    @property
    def changes(self) -> int:
        """How many changes there were, whatever became of them."""
        return sum(getattr(self, name) for name in COLUMNS if name != "unchanged")


COLUMNS: tuple[str, ...] = tuple(field.name for field in fields(Row) if field.name != "kind")
TITLES = {"kept": "kept by Canvas", "open": "not confirmed", "dropped": "not sent"}

STATES: Mapping[ChangeState, str] = {
    ChangeState.HELD: "held",
    ChangeState.FROZEN: "frozen",
    ChangeState.REFUSED: "refused",
    ChangeState.OWNED: "kept",
    ChangeState.PLANNED: "open",
    ChangeState.ALLOWED: "open",
    ChangeState.SENT: "open",
    ChangeState.UNKNOWN: "open",
    ChangeState.STALE: "dropped",
    ChangeState.WITHDRAWN: "dropped",
    ChangeState.REJECTED: "dropped",
}
"""In which column a change is counted; confirmed ones by what they did."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did.

    :param mode: ``plan`` or ``apply``.
    :param rows: one for each kind, in the order in which Canvas processes them.
    :param gaps: why the read was not complete, as far as kept; empty when it was.
    :param problems: rows of the source that could not be used.
    :param waiting: changes left out because Canvas refused them lately.
    """

    run_id: int
    institution: str
    mode: str
    plan_id: int | None
    rows: tuple[Row, ...]
    gaps: tuple[str, ...] = ()
    problems: int = 0
    waiting: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing to change."""
        return not any(row.changes for row in self.rows)


def report(store: Store, run_id: int, *, approval_id: int | None = None) -> Report:
    """What a run did, by what became of the changes of its newest plan.

    :param approval_id: count the changes of this request instead; a run that applied approved changes finds its request
        by itself.
    """
    with store.begin() as connection:
        run = runs.get_run(connection, run_id)
        made = plans.plan_of_run(connection, run_id)
        request = approval_id or (None if made else tallies.request_applied_by(connection, run_id))
        if request is not None:
            return _report(run, None, _rows(tallies.tally_of_request(connection, request), {}))
        if made is not None:
            return _report(run, made.id, _rows(plans.tally(connection, made.id), made.unchanged))
        return _report(run, None, _rows((), {}))


def as_lines(told: Report) -> list[str]:
    """The report for a log: one line for each kind, and one for what else a person should know."""
    lines = [f"{row.kind}: {_line(row)}" for row in told.rows]
    if told.gaps:
        lines.append(f"The read was not complete, so nothing was removed: {'; '.join(told.gaps)}")
    if told.problems:
        lines.append(f"{told.problems} rows of the source could not be used: python -m rosterflow errors list")
    if frozen := sum(row.frozen for row in told.rows):
        lines.append(f"{frozen} changes wait for the end of a freeze (guards.freeze).")
    if told.waiting:
        lines.append(f"{told.waiting} changes wait because Canvas refused them lately.")
    if told.mode == "plan" and told.plan_id is not None:
        lines.append(f"This run only planned. See it with: python -m rosterflow plan show --plan {told.plan_id}")
    return lines


def as_table(told: Report, title: str = "") -> Table:
    """The report for a terminal; columns without any count are left out, except the usual ones."""
    usual = {"created", "updated", "removed", "held", "refused", "unchanged"}
    shown = [name for name in COLUMNS if name in usual or any(getattr(row, name) for row in told.rows)]
    table = Table(title=title or f"{told.institution}, run {told.run_id} ({told.mode})", title_justify="left")
    table.add_column("kind")
    for name in shown:
        table.add_column(TITLES.get(name, name), justify="right")
    for row in told.rows:
        table.add_row(str(row.kind), *(str(getattr(row, name)) for name in shown))
    return table


def _line(row: Row) -> str:
    usual = ("created", "updated", "removed", "held", "refused")
    rest = [name for name in COLUMNS if name not in (*usual, "unchanged") and getattr(row, name)]
    return ", ".join(f"{getattr(row, name)} {TITLES.get(name, name)}" for name in (*usual, *rest, "unchanged"))


def _report(run: Run, plan_id: int | None, rows: tuple[Row, ...]) -> Report:
    counts = run.counts
    return Report(
        run_id=run.id,
        institution=run.institution,
        mode=run.mode,
        plan_id=plan_id,
        rows=rows,
        gaps=tuple(counts.get("first_gaps", ())),
        problems=counts.get("problems", 0),
        waiting=counts.get("waiting", 0),
    )


def _rows(found: Iterable[Any], unchanged: Mapping[str, int]) -> tuple[Row, ...]:
    counted: dict[Kind, Counter[str]] = {kind: Counter() for kind in Kind}
    for one in found:
        column = _column(Action(one.action), ChangeState(one.state))
        apart = one.refused if column not in ("refused", "open") else 0  # the others of their change were accepted
        counted[Kind(one.kind)][column] += one.n - apart
        counted[Kind(one.kind)]["refused"] += apart
    return tuple(Row(kind, **counted[kind], unchanged=unchanged.get(kind, 0)) for kind in Kind)


def _column(action: Action, state: ChangeState) -> str:
    if state is not ChangeState.CONFIRMED:
        return STATES[state]
    if action is Action.CREATE:
        return "created"
    return "removed" if action in REMOVALS else "updated"
