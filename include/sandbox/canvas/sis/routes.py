"""The paths of SIS imports, all under a root account (reference/canvas.md §2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas.http import (
    ApiError,
    ApiRoute,
    api,
    base_url,
    json_response,
    not_found,
    paginate,
    path_value,
    require,
)
from sandbox.canvas.rest.addressing import find_account
from sandbox.canvas.rest.fields import texts, truth
from sandbox.canvas.rest.shapes import progress_json
from sandbox.canvas.sis.batch import BatchState
from sandbox.canvas.sis.create import queue_import, receive_upload
from sandbox.canvas.sis.importers.run import parse_date
from sandbox.canvas.sis.payload import sis_error_json, sis_import_json
from sandbox.canvas.sis.restoring import Wanted, restore
from sandbox.canvas.sis.runner import work_off
from sandbox.canvas.state import ROOT_ACCOUNT_ID

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from sandbox.canvas.http import Token
    from sandbox.canvas.sis.batch import SisBatch
    from sandbox.canvas.state import Canvas
    from sandbox.world import World

_PENDING = (BatchState.INITIALIZING, BatchState.CREATED)


def create(request: Request, world: World) -> Response:
    """POST /accounts/:id/sis_imports: queue an import and answer at once, before it has begun."""
    canvas = world.canvas
    token = _entry(request, canvas, "import_sis")
    with canvas.lock:
        batch = queue_import(request, canvas, token)
        payload = sis_import_json(request, canvas, batch)
        if batch.upload_key:
            root = base_url(request).removesuffix("/api/v1")
            payload["pre_attachment"] = {
                "upload_url": f"{root}/files/sis_imports/{batch.id}?key={batch.upload_key}",
                "upload_params": {"filename": batch.filename},
                "file_param": "file",
            }
    work_off(canvas)
    return json_response(request, payload)


def upload(request: Request, world: World) -> Response:
    """POST /files/sis_imports/:id?key=…: the second step of an announced upload; the address is the credential."""
    canvas = world.canvas
    with canvas.lock:
        batch = _batch(request, canvas)
        if not batch.upload_key or request.query_params.get("key") != batch.upload_key:
            raise not_found()
        receive_upload(request, canvas, batch)
    work_off(canvas)
    response = json_response(request, {"upload_status": "success", "filename": batch.filename}, 201)
    response.headers["Location"] = f"{base_url(request)}/accounts/self/sis_imports/{batch.id}"
    return response


def index(request: Request, world: World) -> Response:
    """GET /accounts/:id/sis_imports: newest first, by time of creation and by state."""
    canvas = world.canvas
    _entry(request, canvas)
    since, before = _moment(request, "created_since"), _moment(request, "created_before")
    states = texts(request, "workflow_state")
    with canvas.lock:
        found = [
            batch
            for batch in reversed(canvas.sis_batches.values())
            if (since is None or batch.created_at >= since)
            and (before is None or batch.created_at <= before)
            and (not states or batch.workflow_state in states)
        ]
        return paginate(request, found, "sis_imports", render=lambda batch: sis_import_json(request, canvas, batch))


def importing(request: Request, world: World) -> Response:
    """GET /accounts/:id/sis_imports/importing: the one that runs, if one does."""
    canvas = world.canvas
    _entry(request, canvas)
    with canvas.lock:
        running = [row for row in canvas.sis_batches.values() if row.workflow_state == BatchState.IMPORTING]
        return json_response(request, {"sis_imports": [sis_import_json(request, canvas, batch) for batch in running]})


def show(request: Request, world: World) -> Response:
    """GET /accounts/:id/sis_imports/:id."""
    canvas = world.canvas
    _entry(request, canvas)
    with canvas.lock:
        return json_response(request, sis_import_json(request, canvas, _batch(request, canvas)))


def errors(request: Request, world: World) -> Response:
    """GET /accounts/:id/sis_imports/:id/errors: newest first; `failure` keeps the failures only."""
    canvas = world.canvas
    _entry(request, canvas)
    with canvas.lock:
        return _errors_page(request, [_batch(request, canvas)])


def all_errors(request: Request, world: World) -> Response:
    """GET /accounts/:id/sis_import_errors: those of every import."""
    canvas = world.canvas
    _entry(request, canvas)
    with canvas.lock:
        return _errors_page(request, list(canvas.sis_batches.values()))


def abort(request: Request, world: World) -> Response:
    """PUT /accounts/:id/sis_imports/:id/abort: what runs stops at its next row, what was applied stays."""
    canvas = world.canvas
    _entry(request, canvas)
    with canvas.lock:
        batch = _batch(request, canvas)
        if batch.is_finished:
            raise not_found()
        batch.end(BatchState.ABORTED, canvas.now())
        return json_response(request, sis_import_json(request, canvas, batch))


def abort_all_pending(request: Request, world: World) -> Response:
    """PUT /accounts/:id/sis_imports/abort_all_pending: those that have not begun."""
    canvas = world.canvas
    _entry(request, canvas)
    with canvas.lock:
        for batch in canvas.sis_batches.values():
            if batch.workflow_state in _PENDING:
                batch.end(BatchState.ABORTED, canvas.now())
    return json_response(request, {"aborted": True})


def restore_states(request: Request, world: World) -> Response:
    """PUT /accounts/:id/sis_imports/:id/restore_states: a Progress; 404 while the import has not ended."""
    canvas = world.canvas
    token = _entry(request, canvas, "manage_sis")
    flags = ("batch_mode", "undelete_only", "unconclude_only")
    wanted = Wanted(**{name: truth(request.state.params.get(name)) for name in flags})
    with canvas.lock:
        batch = _batch(request, canvas)
        if wanted.undelete_only and wanted.unconclude_only:
            raise ApiError(400, "cannot set both undelete_only and unconclude_only")
        if not batch.is_finished:
            raise not_found()
        progress = restore(canvas, batch, wanted, token.user_id)
        return json_response(request, progress_json(progress, base_url(request)))


def _entry(request: Request, canvas: Canvas, permission: str | None = None) -> Token:
    """Who comes in: with that permission, or either SIS permission; only root accounts have SIS imports."""
    token = require(request, *([permission] if permission else []))
    if token.permissions.isdisjoint({"import_sis", "manage_sis"}):
        require(request, "manage_sis")
    account = find_account(canvas, path_value(request, "account"))
    if account.id != ROOT_ACCOUNT_ID:
        raise ApiError(400, {"errors": ["SIS imports can only be executed on root accounts"]})
    if not canvas.settings.sis_imports_enabled:
        raise ApiError(403, {"errors": ["SIS imports are not enabled for this account"]})
    return token


def _batch(request: Request, canvas: Canvas) -> SisBatch:
    number = path_value(request, "batch")
    batch = canvas.sis_batches.get(int(number)) if number.isdecimal() else None
    if batch is None:
        raise not_found()
    return batch


def _errors_page(request: Request, batches: list[SisBatch]) -> Response:
    only_failures = truth(request.state.params.get("failure"))
    found = [
        error for batch in reversed(batches) for error in reversed(batch.errors) if error.failure or not only_failures
    ]
    return paginate(request, found, "sis_import_errors", render=sis_error_json)


def _moment(request: Request, name: str) -> datetime | None:
    """A time to filter by; one that cannot be read filters nothing."""
    try:
        return parse_date(request.query_params.get(name))
    except ValueError:
        return None


def routes(world: World) -> list[BaseRoute]:
    """The routes below /canvas."""
    imports = "/api/v1/accounts/{account}/sis_imports"
    paths = (
        ("POST", imports, create),
        ("POST", f"{imports}.json", create),
        ("GET", imports, index),
        ("GET", f"{imports}/importing", importing),
        ("PUT", f"{imports}/abort_all_pending", abort_all_pending),
        ("GET", f"{imports}/{{batch}}", show),
        ("GET", f"{imports}/{{batch}}/errors", errors),
        ("PUT", f"{imports}/{{batch}}/abort", abort),
        ("PUT", f"{imports}/{{batch}}/restore_states", restore_states),
        ("GET", "/api/v1/accounts/{account}/sis_import_errors", all_errors),
        ("POST", "/files/sis_imports/{batch}", upload),
    )
    return [ApiRoute(path, api(handler, world), methods=[verb]) for verb, path, handler in paths]
