"""Asking for the undo of a plan that was applied."""

from __future__ import annotations

import getpass
import os
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from rosterflow.cli.listing import what_changes
from rosterflow.cli.opening import CannotAnswer, InstitutionOption, JsonOption, chosen, show_json, show_rows, the_store
from rosterflow.domain.institution import Institution
from rosterflow.domain.losses import MEANINGS, REMEDIES
from rosterflow.domain.undo import Inverse
from rosterflow.domain.windows import scope_on
from rosterflow.store.engine import Store

if TYPE_CHECKING:
    from rosterflow.hooks.canvas import CanvasHook
    from rosterflow.sync.undoing import Undoing

LOOK_SECONDS = 2.0


def undo_plan(
    plan: Annotated[int, typer.Argument(help="Number of the plan that was applied.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit, and shown to whoever approves.")],
    institution: InstitutionOption = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would do; asks nobody.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Plan the inverse of an applied plan, show it and what cannot come back, and have a person asked to approve it."""
    if not reason.strip():
        raise typer.BadParameter("a reason is needed", param_hint="--reason")
    from rosterflow.hooks.canvas import CanvasHook  # it brings Airflow, which takes seconds

    one = chosen(institution)
    # Outside a task Airflow looks in its database for connections only when told that it may, as its own command does.
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
    with the_store() as store:
        hook = CanvasHook(one.canvas.connection)
        try:
            asked = _undo(store, hook, one, plan, reason.strip(), dry_run=dry_run)
        finally:
            hook.close()
    _show(one, plan, asked, as_json=as_json)


def _undo(store: Store, hook: CanvasHook, one: Institution, plan: int, reason: str, *, dry_run: bool) -> Undoing:
    from rosterflow.sync import runs
    from rosterflow.sync.settling import settle_imports
    from rosterflow.sync.undoing import Undoing, inverse_of, plan_undo

    if dry_run:
        return Undoing(inverse_of(store, one, plan, _report(hook, one), reason=reason))
    today = _now().astimezone(one.zone).date()
    scope = scope_on(today, one.terms)
    opened = {"dag_id": f"undo__{one.key}", "dag_run_id": f"command__{uuid.uuid4().hex}"}
    run = runs.open_run(store, one, mode="plan", scope=scope, now=_now(), **opened)
    well = False
    try:
        run = runs.take_lease(store, one, run, _now())
        if settle_imports(store, hook, one, run, _now()):
            raise CannotAnswer(f"{one.name}: what Canvas has is not known; let a sync read it first.")
        actor = f"{getpass.getuser()} (command line)"
        asked = plan_undo(store, one, run, plan, _report(hook, one), actor=actor, reason=reason, now=_now())
        well = True
    finally:
        runs.close_run(store, one, run, well=well, now=_now())
    return asked


def _report(hook: CanvasHook, one: Institution) -> bytes:
    """Canvas as it is: others may be in what the plan made."""
    from rosterflow.sync.reported import kinds_for_undo

    typer.echo("Canvas lists what it has …", err=True)
    number = hook.start_provisioning_report(kinds_for_undo(one)).id
    until = time.monotonic() + one.canvas.import_hours * 3600
    _wait(lambda: hook.provisioning_report(number).is_over or time.monotonic() > until)
    ended = hook.provisioning_report(number)
    if ended.state != "complete" or ended.url is None:
        raise CannotAnswer(f"Canvas made no provisioning report: it is {ended.state!r}. Try again.")
    return hook.download(ended.url)


def _wait(is_over: Callable[[], bool]) -> None:
    while not is_over():
        time.sleep(LOOK_SECONDS)


def _show(one: Institution, plan: int, asked: Undoing, *, as_json: bool) -> None:
    inverse = asked.inverse
    if as_json:
        head = {"institution": one.key, "undoes": plan, "plan": asked.plan_id, "request": asked.request}
        losses = [{**msgspec.to_builtins(loss), "meaning": MEANINGS[loss.why]} for loss in inverse.losses]
        show_json({**head, "changes": _changes(inverse), "does_not_come_back": losses})
        return
    show_rows(f"What undoes plan {plan}", _changes(inverse), ("action", "kind", "sis_id", "what"), as_json=False)
    columns = ("what", "people", "why", "facts", "remedy")
    show_rows("What does not come back, or not as it was", _losses(inverse), columns, as_json=False)
    if not inverse.changes:
        typer.echo("There is nothing to undo.")
    elif asked.request is None:
        typer.echo("Nobody was asked. Without --dry-run a person is.")
    else:
        number, dag = asked.request, f"canvas_approval__{one.key}"
        typer.echo(f"Plan {asked.plan_id} waits for a person as request {number}. The next sync asks, or ask now:")
        typer.echo(f"airflow dags trigger {dag} --run-id approval__{number} --conf '{{\"approval_id\": {number}}}'")


def _changes(inverse: Inverse) -> list[dict[str, Any]]:
    return [
        {"action": str(c.action), "kind": str(c.kind), "sis_id": c.after.sis_id, "what": what_changes(c)}
        for c in inverse.changes
    ]


def _losses(inverse: Inverse) -> list[dict[str, Any]]:
    return [
        {
            "what": str(loss.key),
            "people": loss.weight,
            "why": MEANINGS[loss.why],
            "facts": ", ".join(f"{name}={value}" for name, value in loss.facts),
            "remedy": REMEDIES[loss.why],
        }
        for loss in inverse.losses
    ]


def _now() -> datetime:
    return datetime.now(UTC)
