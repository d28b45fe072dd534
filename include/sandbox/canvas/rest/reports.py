"""Account reports over REST, reference/canvas.md §10.10: the provisioning report and the SIS export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.canvas import reports
from sandbox.canvas.files import file_json
from sandbox.canvas.http import json_response, not_found, paginate, path_value, refused, require, timestamp
from sandbox.canvas.provisioning import Selection
from sandbox.canvas.rest.addressing import find_account, find_term
from sandbox.canvas.rest.fields import group, truth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.canvas.objects import Account, Report
    from sandbox.canvas.state import Canvas
    from sandbox.world import World

NOT_YET = ("groups", "group_membership", "group_categories", "user_observers")
FILTERS = (
    "enrollment_term_id",
    "include_deleted",
    "created_by_sis",
    "enrollment_filter",
    "enrollment_states",
    "skip_message",
)


def available(request: Request, world: World) -> Response:
    """GET /accounts/:id/reports: the reports there are, with their parameters and their last run."""
    require(request, "read_reports")
    account = find_account(world.canvas, path_value(request, "account"))

    def render(name: str) -> dict[str, Any]:
        runs = _runs(world.canvas, account, name)
        parameters = (*reports.REPORTS[name].COLUMNS, *FILTERS)
        return {
            "report": name,
            "title": reports.TITLES[name],
            "parameters": {parameter: {"description": parameter, "required": False} for parameter in parameters},
            "last_run": _report_json(request, world.canvas, runs[0]) if runs else None,
        }

    return paginate(request, list(reports.REPORTS), render=render)


def index(request: Request, world: World) -> Response:
    """GET /accounts/:id/reports/:name: its runs, newest first."""
    require(request, "read_reports")
    account = find_account(world.canvas, path_value(request, "account"))
    runs = _runs(world.canvas, account, path_value(request, "report"))
    return paginate(request, runs, render=lambda run: _report_json(request, world.canvas, run))


def create(request: Request, world: World) -> Response:
    """POST /accounts/:id/reports/:name: start a run; `parameters[…]` choose tables and filters."""
    canvas = world.canvas
    require(request, "read_reports")
    account = find_account(canvas, path_value(request, "account"))
    name = path_value(request, "report")
    if name not in reports.REPORTS:
        raise not_found()
    given = group(request, "parameters")
    unknown = [kind for kind in NOT_YET if truth(given.get(kind))]
    if unknown:
        raise refused(f"The sandbox does not report {', '.join(unknown)} yet.")
    columns = reports.REPORTS[name].COLUMNS
    kinds = [kind for kind in columns if truth(given.get(kind))]
    if not kinds:
        raise refused(f"Choose at least one of {', '.join(columns)}.")
    parameters = {name: str(value) for name, value in given.items()}
    report = reports.start(canvas, name, account.id, kinds, parameters, _selection(canvas, account, given))
    return json_response(request, _report_json(request, canvas, report))


def show(request: Request, world: World) -> Response:
    """GET /accounts/:id/reports/:name/:id: status, progress, and when it is complete the file."""
    require(request, "read_reports")
    return json_response(request, _report_json(request, world.canvas, _run(request, world.canvas)))


def abort(request: Request, world: World) -> Response:
    """PUT /accounts/:id/reports/:name/:id/abort; 404 when it has ended."""
    require(request, "read_reports")
    report = _run(request, world.canvas)
    if reports.is_ended(report):
        raise not_found()
    reports.abort(world.canvas, report)
    return json_response(request, _report_json(request, world.canvas, report))


def delete(request: Request, world: World) -> Response:
    """DELETE /accounts/:id/reports/:name/:id: it is gone from the list, and so is its file."""
    require(request, "read_reports")
    report = _run(request, world.canvas)
    report.status, report.file_id = "deleted", None
    return json_response(request, _report_json(request, world.canvas, report))


def _selection(canvas: Canvas, account: Account, given: Mapping[str, Any]) -> Selection:
    term = str(given.get("enrollment_term_id") or "")
    return Selection(
        account_id=account.id,
        term_id=find_term(canvas, term).id if term else None,
        include_deleted=truth(given.get("include_deleted")),
        created_by_sis=truth(given.get("created_by_sis")),
        enrollment_roles=_words(given.get("enrollment_filter")),
        enrollment_states=_words(given.get("enrollment_states")),
    )


def _words(value: object) -> frozenset[str]:
    words = value if isinstance(value, list) else str(value or "").split(",")
    return frozenset(str(word).strip() for word in words) - {""}


def _runs(canvas: Canvas, account: Account, name: str) -> list[Report]:
    runs = [run for run in canvas.reports.values() if (run.account_id, run.name) == (account.id, name)]
    return [run for run in reversed(runs) if run.status != "deleted"]


def _run(request: Request, canvas: Canvas) -> Report:
    account = find_account(canvas, path_value(request, "account"))
    number = path_value(request, "run")
    for run in _runs(canvas, account, path_value(request, "report")):
        if str(run.id) == number:
            return run
    raise not_found()


def _report_json(request: Request, canvas: Canvas, report: Report) -> dict[str, Any]:
    file = canvas.files.get(report.file_id) if report.file_id is not None else None
    shown = {
        "id": report.id,
        "report": report.name,
        "status": report.status,
        "progress": report.progress,
        "parameters": report.parameters,
        "created_at": timestamp(report.created_at),
        "started_at": timestamp(report.started_at),
        "ended_at": timestamp(report.ended_at),
        "message": report.message,
        "file_url": None,
    }
    if file:
        attachment = file_json(request, file)
        shown |= {"file_url": attachment["url"], "attachment": attachment}
    return shown
