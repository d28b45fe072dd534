"""The commands, and how an error is told: in one sentence, with what to do, and exit code 1."""

from __future__ import annotations

import getpass
import logging
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from rosterflow.cli import listing
from rosterflow.cli.attendance import attendance_app
from rosterflow.cli.coursekey import coursekey_app
from rosterflow.cli.explaining import explain
from rosterflow.cli.live import check_live, check_roots
from rosterflow.cli.opening import CannotAnswer, InstitutionOption, JsonOption, chosen, show_findings, the_store
from rosterflow.cli.people import timeline
from rosterflow.cli.undoing import undo_plan
from rosterflow.domain.errors import RosterflowError
from rosterflow.settings import institutions_folder, load_institutions
from rosterflow.store import migrate
from rosterflow.sync.checking import check_files, check_installation

app = typer.Typer(
    name="rosterflow",
    help="Looks after the synchronisation of student systems and Canvas.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
store_app = typer.Typer(help="The store: our own database.", no_args_is_help=True)
plan_app = typer.Typer(help="Plans.", no_args_is_help=True)
run_app = typer.Typer(help="Runs.", no_args_is_help=True)
errors_app = typer.Typer(help="Rows that could not be used, or that Canvas refused.", no_args_is_help=True)
app.add_typer(store_app, name="store")
app.add_typer(plan_app, name="plan")
app.add_typer(run_app, name="run")
app.add_typer(errors_app, name="errors")
app.add_typer(coursekey_app, name="coursekey")
app.add_typer(attendance_app, name="attendance")

plan_app.command("show")(listing.show_plan)
plan_app.command("diff")(listing.diff_plans)
plan_app.command("undo")(undo_plan)
run_app.command("list")(listing.list_runs)
errors_app.command("list")(listing.list_errors)
app.command("explain")(explain)
app.command("timeline")(timeline)


def main() -> None:
    """Run a command.

    :raises SystemExit: 0 when it went well, 1 with one sentence when it did not, 2 when the command is not understood.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        app()
    except (RosterflowError, CannotAnswer) as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)


@app.command()
def check(
    institution: InstitutionOption = "",
    live: Annotated[bool, typer.Option("--live", help="Also ask FS, Canvas and Airflow.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check environment, settings, store and page store; with --live also connections, roles, account and pool."""
    findings = [*check_installation(), *check_files(institutions_folder(), institution)]
    if live:
        usable, _ = load_institutions(institutions_folder())
        findings += [f for one in usable if institution in ("", one.key) for f in check_live(one)]
        findings += check_roots(usable)
    show_findings(findings, as_json=as_json)


@store_app.command("upgrade")
def upgrade() -> None:
    """Bring the store to this version; once after each installation. Doing it again does nothing."""
    with the_store(checked=False) as store:
        migrate.upgrade(store)
    typer.echo("The store is at this version.")


@app.command()
def rebase(
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit.")],
    institution: InstitutionOption = "",
) -> None:
    """Have the next run take its base from Canvas and ask for approval of its whole plan, as on first contact."""
    if not reason.strip():
        raise typer.BadParameter("a reason is needed", param_hint="--reason")
    from rosterflow.sync.settling import rebase as rebase_institution  # it brings Airflow, which takes seconds

    one = chosen(institution)
    with the_store() as store:
        actor = f"{getpass.getuser()} (command line)"
        rebase_institution(store, one, actor=actor, reason=reason.strip(), now=datetime.now(UTC))
    typer.echo(f"{one.name}: the next run takes its base from Canvas, and its plan waits for approval.")
