"""Plans, runs and row errors, as lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from rosterflow.cli.opening import CannotAnswer, InstitutionOption, JsonOption, chosen, show_json, show_rows, the_store
from rosterflow.domain.errors import Code
from rosterflow.domain.plan import Change
from rosterflow.domain.rosters import Roster
from rosterflow.store import looking, plans, row_errors, runs
from rosterflow.store.plans import ChangeState, StoredChange
from rosterflow.sync.reporting import COLUMNS, as_table, report


def show_plan(
    institution: InstitutionOption = "",
    plan: Annotated[int | None, typer.Option("--plan", help="Its number; without it the newest.")] = None,
    state: Annotated[
        ChangeState | None, typer.Option("--state", help="Only changes in this state; of the newest plan with any.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many changes in the table.")] = 200,
    as_json: JsonOption = False,
) -> None:
    """Show a plan: its table, and each change with its reason and what became of it."""
    key = "" if plan is not None and not institution else chosen(institution).key
    with the_store() as store:
        with store.begin() as connection:
            found = looking.find_plan(connection, plan, key, state)
            if found is None:
                which = f"no plan {plan}" if plan else f"no plan with a {state} change" if state else "no plan yet"
                raise CannotAnswer(f"{key or 'The store'} has {which}.")
            changes = plans.changes(connection, found.id, *([state] if state else []))
        told = report(store, found.run_id)
    rows = [_change_row(one) for one in changes]
    if as_json:
        head = {"plan": found.id, "institution": found.institution, "run": found.run_id, "made_at": found.made_at}
        show_json({**head, "hash": found.hash, "first_contact": found.first_contact, "changes": rows})
        return
    if told.plan_id == found.id:
        Console().print(as_table(told, f"{found.institution}, plan {found.id} of run {found.run_id}"))
    columns = ("action", "kind", "sis_id", "what", "reason", "state", "note")
    show_rows(f"Changes of plan {found.id}", rows[:limit], columns, as_json=False)
    if len(rows) > limit:
        typer.echo(f"… and {len(rows) - limit} more; --limit shows more, --json all.")


def diff_plans(
    institution: InstitutionOption = "",
    plan: Annotated[int | None, typer.Option("--plan", help="Its number; without it the newest.")] = None,
    earlier: Annotated[int | None, typer.Option("--with", help="Compare with it; by default the plan before.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a plan has that an earlier one had not, what it has no longer, and what it does otherwise."""
    one = chosen(institution)
    with the_store() as store, store.begin() as connection:
        new = looking.find_plan(connection, plan, one.key)
        if new is None:
            raise CannotAnswer(f"{one.key} has no plan {plan or 'yet'}.")
        old_number = earlier or looking.plan_before(connection, new)
        old = looking.find_plan(connection, old_number, one.key) if old_number else None
        if old is None:
            raise CannotAnswer(f"{one.key} has no plan {earlier or f'before {new.id}'}.")
        now, before = (
            {(c.change.key, c.change.action): c for c in plans.changes(connection, p.id)} for p in (new, old)
        )
    rows = _differences(now, before)
    if as_json:
        show_json({"plan": new.id, "with": old.id, "same": new.hash == old.hash, "differences": rows})
        return
    columns = ("difference", "action", "kind", "sis_id", "what", "reason", "state")
    show_rows(f"Plan {new.id} compared with plan {old.id}", rows, columns, as_json=False)


def _differences(now: Mapping[Any, StoredChange], before: Mapping[Any, StoredChange]) -> list[dict[str, Any]]:
    """The changes that only one of two plans has, or that do something else in each."""
    rows = [{"difference": "gone", **_change_row(one)} for key, one in before.items() if key not in now]
    for key, one in now.items():
        was = before.get(key)
        if was is None or was.fingerprint != one.fingerprint:
            rows.append({"difference": "other" if was else "new", **_change_row(one)})
    return rows


def list_runs(
    institution: InstitutionOption = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, newest first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the newest runs, each with what it did."""
    one = chosen(institution)
    with the_store() as store:
        with store.begin() as connection:
            found = runs.latest_runs(connection, one.key, limit)
        told = {run.id: report(store, run.id) for run in found}
    rows = [
        {
            "run": run.id,
            "started": run.started_at.astimezone(one.zone),
            "dag": run.dag_id,
            "dag_run": run.dag_run_id,
            "mode": run.mode,
            "state": str(run.state),
            "plan": told[run.id].plan_id,
            "gaps": run.counts.get("gaps"),
            **{name: sum(getattr(row, name) for row in told[run.id].rows) for name in COLUMNS},
        }
        for run in found
    ]
    columns = ("run", "started", "dag_run", "mode", "state", "plan", "created", "updated", "removed", "held", "refused")
    show_rows(f"Runs of {one.name}", rows, columns, as_json=as_json)


def list_errors(
    institution: InstitutionOption = "",
    code: Annotated[Code | None, typer.Option("--code", help="Only errors with this code.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the rows that could not be used, or that Canvas refused, and are not mended yet."""
    one = chosen(institution)
    with the_store() as store, store.begin() as connection:
        found = row_errors.open_errors(connection, one.key)
    rows = [{**error_row(row, lambda moment: moment.astimezone(one.zone))} for row in found if code in (None, row.code)]
    show_rows(f"Row errors of {one.name}", rows, ("code", "subject", "field", "message", "since"), as_json=as_json)


def error_row(row: Any, local: Callable[[datetime], datetime]) -> dict[str, Any]:
    """A row error for a list."""
    return {
        "code": row.code,
        "side": row.side,
        "kind": row.kind,
        "subject": row.subject,
        "field": row.field,
        "message": row.message,
        "since": local(row.first_at),
        "last_seen": local(row.last_at),
    }


def _change_row(one: StoredChange) -> dict[str, Any]:
    change = one.change
    return {
        "action": str(change.action),
        "kind": str(change.kind),
        "sis_id": change.key.sis_id,
        "what": what_changes(change),
        "rule": change.rule,
        "reason": change.reason,
        "state": str(one.state),
        "guard": one.guard_rule,
        "note": one.message or one.guard_reason or "",
        "fingerprint": change.fingerprint,
    }


def what_changes(change: Change) -> str:
    """Which fields change, from what to what; for a new object only its name, for people how many they are."""
    before, after = change.before, change.after
    if isinstance(after, Roster):
        fields = f" ({', '.join(change.changed_fields)})" if change.changed_fields and before else ""
        return f"{change.weight} people{fields}"
    if before is None:
        return str(getattr(after, "long_name", None) or getattr(after, "name", ""))
    names = [name for name in ("sis_id", *change.changed_fields, "state") if _differs(before, after, name)]
    return "; ".join(f"{name}: {getattr(before, name)} → {getattr(after, name)}" for name in names)


def _differs(before: object, after: object, name: str) -> bool:
    return bool(getattr(before, name) != getattr(after, name))
