"""What every Canvas endpoint shares: tokens, parameters, error shapes, ids as strings, pages, and throttling.

Source: reference/canvas.md §9.1 (ids), §9.2 (tokens), §9.3 (pages), §9.4 (throttling), §9.6 (error shapes).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.canvas.throttle import gate_of

if TYPE_CHECKING:
    from starlette.routing import Match
    from starlette.types import Scope

    from sandbox.world import World

T = TypeVar("T")
Handler = Callable[[Request, "World"], Response]

AUTHENTICATE = {"WWW-Authenticate": 'Bearer realm="canvas-lms"'}
STRING_IDS = "application/json+canvas-string-ids"
NOT_FOUND = {"errors": [{"message": "The specified resource does not exist."}]}
NO_CREDENTIALS = {"status": "unauthenticated", "errors": [{"message": "user authorization required"}]}
INVALID_TOKEN = {"errors": [{"message": "Invalid access token."}]}
NOT_PERMITTED = {
    "status": "unauthorized",
    "errors": [{"message": "user not authorized to perform that action"}],
}

READ_PERMISSIONS = frozenset(
    {"read", "read_course_list", "read_reports", "read_roles", "read_roster", "read_sis", "view_user_logins"}
)
WRITE_PERMISSIONS = frozenset(
    {
        "import_sis",
        "manage_account_memberships",
        "manage_account_settings",
        "manage_courses_add",
        "manage_courses_admin",
        "manage_courses_conclude",
        "manage_courses_delete",
        "manage_enrollments",
        "manage_role_overrides",
        "manage_sections_add",
        "manage_sections_delete",
        "manage_sections_edit",
        "manage_sis",
        "manage_user_logins",
    }
)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token of the sandbox: what it may do, until when (None: for ever), and whose it is."""

    value: str
    permissions: frozenset[str]
    expired_at: datetime | None = None
    user_id: int = 1


TOKENS = {
    token.value: token
    for token in (
        Token("sandbox-canvas-token", READ_PERMISSIONS | WRITE_PERMISSIONS),
        Token("sandbox-canvas-readonly", READ_PERMISSIONS),
        Token("sandbox-canvas-expired", frozenset(), datetime(2026, 1, 1, tzinfo=UTC)),
    )
}


class ApiError(Exception):
    """An answer that is not a success: status, JSON body and extra headers, sent as they are."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def not_found() -> ApiError:
    """The 404 for a record that is missing or an id that cannot be read."""
    return ApiError(404, NOT_FOUND)


def refused(message: str, status: int = 400) -> ApiError:
    """A simple refusal, `{"message": …}`."""
    return ApiError(status, {"message": message})


def api(handler: Handler, world: World) -> Callable[[Request], Any]:
    """Make a Starlette endpoint of a plain handler: throttled, in a worker thread, with ApiError answered.

    The body is read before the handler runs: `request.state.body` holds its bytes, `request.state.form` the
    form (uploads included), `request.state.params` query, form and JSON fields nested as their brackets say.
    """

    async def endpoint(request: Request) -> Response:
        gate = gate_of(world.canvas)
        throttle, profile = gate.throttle, gate.profile
        mark = profile.high_water_mark
        key = _bearer(request) or (request.client.host if request.client else "")
        if not throttle.admit(key, mark):
            headers = {"X-Rate-Limit-Remaining": "0.0"}
            return PlainTextResponse(profile.throttled_text, profile.throttled_status, headers)
        cost = 0.0
        try:
            await _read(request, world)
            response, cost = await run_in_threadpool(_timed, handler, request, world)
        finally:
            await request.close()
            throttle.settle(key, cost)
        response.headers["X-Request-Cost"] = str(cost)
        response.headers["X-Rate-Limit-Remaining"] = str(throttle.remaining(key, mark))
        return response

    return endpoint


class ApiRoute(Route):
    """A route that matches the path as it was sent, so that an id in it may hold an encoded slash or dot."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match on the raw path; read the parameters with `path_value`."""
        raw = scope.get("raw_path")
        return super().matches(scope if raw is None else {**scope, "path": raw.decode("latin-1")})


def path_value(request: Request, name: str) -> str:
    """One part of an ApiRoute's path, decoded."""
    return unquote(str(request.path_params[name]))


def require(request: Request, *permissions: str) -> Token:
    """The caller's token; ApiError 401 without a good one, 403 (legacy: 401) when it may not do this."""
    world: World = request.state.world
    value = _bearer(request)
    if not value:
        raise ApiError(401, NO_CREDENTIALS, AUTHENTICATE)
    token = TOKENS.get(value)
    if token is None:
        raise ApiError(401, INVALID_TOKEN, AUTHENTICATE)
    expired_at = token.expired_at
    if world.faults.take("canvas", "expired_token", f"{request.method} {request.url.path}"):
        expired_at = world.canvas.now()
    if expired_at is not None:
        error = {"message": "Expired access token.", "expired_at": timestamp(expired_at)}
        raise ApiError(401, {"errors": [error]}, AUTHENTICATE)
    if not token.permissions.issuperset(permissions):
        raise ApiError(gate_of(world.canvas).profile.denied_status, NOT_PERMITTED)
    return token


def json_response(request: Request, payload: Any, status: int = 200) -> Response:
    """A JSON answer; ids are strings when the caller accepts `application/json+canvas-string-ids`."""
    if STRING_IDS in request.headers.get("accept", ""):
        payload = _with_string_ids(payload)
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return Response(body, status, media_type="application/json; charset=utf-8")


def paginate(
    request: Request,
    items: Sequence[T],
    wrap: str | None = None,
    per_page_cap: int = 100,
    render: Callable[[T], Any] | None = None,
) -> Response:
    """One page of `items` and its Link header; `render` makes one item's JSON, `wrap` names the list's key.

    `per_page` defaults to 10 and is clamped to the cap (at most 50 in the legacy profile), a page after the
    last one is empty, and a page that is no number is a 404.
    """
    world: World = request.state.world
    cap = min(per_page_cap, gate_of(world.canvas).profile.page_cap)
    asked = request.query_params.get("per_page", "")
    per_page = min(int(asked), cap) if asked.isdecimal() and int(asked) > 0 else 10
    token = request.query_params.get("page", "") or "1"
    if not token.isdecimal() or int(token) < 1:
        raise not_found()
    page, last = int(token), max(1, -(-len(items) // per_page))
    rows = items[(page - 1) * per_page : page * per_page]
    payload: Any = [render(row) for row in rows] if render else list(rows)
    response = json_response(request, {wrap: payload} if wrap else payload)
    response.headers["Link"] = _links(request, page, last, per_page)
    return response


def base_url(request: Request) -> str:
    """The address of the API this request came to, up to /api/v1."""
    return f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}/api/v1"


def timestamp(value: datetime | None) -> str | None:
    """A moment the way Canvas writes it: whole seconds, UTC, `Z`."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value else None


def nested(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Fields nested as their brackets say: `course[event]=offer`, `state[]=all` become dicts and lists."""
    result: dict[str, Any] = {}
    for name, value in pairs:
        first, *rest = re.findall(r"[^\[\]]+|\[\]", name) or [name]
        many = bool(rest) and rest[-1] == "[]"
        keys = [first, *(part for part in rest if part != "[]")]
        target = result
        for key in keys[:-1]:
            child = target.get(key)
            target[key] = target = child if isinstance(child, dict) else {}
        if many and isinstance(target.get(keys[-1]), list):
            target[keys[-1]].append(value)
        else:
            target[keys[-1]] = [value] if many else value
    return result


def _timed(handler: Handler, request: Request, world: World) -> tuple[Response, float]:
    started = time.thread_time()
    try:
        response = handler(request, world)
    except ApiError as error:
        response = json_response(request, error.body, error.status)
        response.headers.update(error.headers)
    return response, time.thread_time() - started


async def _read(request: Request, world: World) -> None:
    request.state.world = world
    request.state.body = await request.body()
    request.state.form = await request.form()
    fields = nested([*request.query_params.multi_items(), *request.state.form.multi_items()])
    if request.headers.get("content-type", "").startswith("application/json") and request.state.body:
        fields |= _json_fields(request.state.body)
    request.state.params = fields


def _json_fields(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _bearer(request: Request) -> str:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else request.query_params.get("access_token", "")


def _with_string_ids(payload: Any) -> Any:
    if isinstance(payload, list):
        return [_with_string_ids(item) for item in payload]
    if not isinstance(payload, dict):
        return payload
    return {key: _id_text(value) if _is_id(key) else _with_string_ids(value) for key, value in payload.items()}


def _is_id(key: str) -> bool:
    return key in ("id", "ids") or key.endswith(("_id", "_ids"))


def _id_text(value: Any) -> Any:
    if isinstance(value, list):
        return [_id_text(item) for item in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _links(request: Request, page: int, last: int, per_page: int) -> str:
    kept = [(k, v) for k, v in request.query_params.multi_items() if k not in ("page", "per_page", "access_token")]
    path = request.scope.get("raw_path", request.url.path.encode()).decode("latin-1")
    base = f"{request.url.scheme}://{request.url.netloc}{path}"
    pages = {"current": page, "next": page + 1, "prev": page - 1, "first": 1, "last": last}
    if page >= last:
        del pages["next"]
    if page <= 1:
        del pages["prev"]
    return ",".join(
        f'<{base}?{urlencode([*kept, ("page", number), ("per_page", per_page)])}>; rel="{rel}"'
        for rel, number in pages.items()
    )
