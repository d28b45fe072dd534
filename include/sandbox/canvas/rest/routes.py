"""The paths of Canvas's REST API, and of the files it hands out (reference/canvas.md §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas.files import download
from sandbox.canvas.http import ApiRoute, Handler, api, not_found
from sandbox.canvas.rest import (
    accounts,
    admins,
    courses,
    enrollments,
    logins,
    reports,
    roles,
    sections,
    terms,
    users,
)
from sandbox.canvas.rest.fields import invalid
from sandbox.canvas.table import CanvasRefusal

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from sandbox.world import World

VERBS = ("GET", "POST", "PUT", "DELETE", "PATCH")

PATHS: dict[str, dict[str, Handler]] = {
    "/accounts": {"GET": accounts.index},
    "/accounts/{account}": {"GET": accounts.show, "PUT": accounts.update},
    "/accounts/{account}/permissions": {"GET": accounts.permissions},
    "/accounts/{account}/sub_accounts": {"GET": accounts.sub_accounts, "POST": accounts.create},
    "/accounts/{account}/sub_accounts/{sub_account}": {"DELETE": accounts.delete},
    "/accounts/{account}/terms": {"GET": terms.index, "POST": terms.create},
    "/accounts/{account}/terms/{term}": {"GET": terms.show, "PUT": terms.update, "DELETE": terms.delete},
    "/accounts/{account}/courses": {
        "GET": courses.index,
        "POST": courses.create,
        "PUT": courses.update_many,
    },
    "/accounts/{account}/courses/{course}": {"GET": courses.show},
    "/accounts/{account}/roles": {"GET": roles.index, "POST": roles.create},
    "/accounts/{account}/roles/{role}": {
        "GET": roles.show,
        "PUT": roles.update,
        "DELETE": roles.deactivate,
    },
    "/accounts/{account}/roles/{role}/activate": {"POST": roles.activate},
    "/accounts/{account}/users": {"GET": users.index, "POST": users.create},
    "/accounts/{account}/users/bulk_update": {"PUT": users.update_many},
    "/accounts/{account}/users/{user}": {"DELETE": users.delete},
    "/accounts/{account}/users/{user}/restore": {"PUT": users.restore},
    "/accounts/{account}/logins": {"GET": logins.index, "POST": logins.create},
    "/accounts/{account}/logins/{login}": {"PUT": logins.update},
    "/accounts/{account}/admins": {"GET": admins.index, "POST": admins.create},
    "/accounts/{account}/admins/{user}": {"DELETE": admins.delete},
    "/accounts/{account}/enrollments/{enrollment}": {"GET": enrollments.show},
    "/accounts/{account}/reports": {"GET": reports.available},
    "/accounts/{account}/reports/{report}": {"GET": reports.index, "POST": reports.create},
    "/accounts/{account}/reports/{report}/{run}": {"GET": reports.show, "DELETE": reports.delete},
    "/accounts/{account}/reports/{report}/{run}/abort": {"PUT": reports.abort},
    "/courses/{course}": {"GET": courses.show, "PUT": courses.update, "DELETE": courses.delete},
    "/courses/{course}/sections": {"GET": sections.index, "POST": sections.create},
    "/courses/{course}/sections/{section}": {"GET": sections.show},
    "/courses/{course}/enrollments": {
        "GET": enrollments.index_of_course,
        "POST": enrollments.create_in_course,
    },
    "/courses/{course}/enrollments/{enrollment}": {"DELETE": enrollments.remove},
    "/courses/{course}/enrollments/{enrollment}/reactivate": {"PUT": enrollments.reactivate},
    "/sections/{section}": {"GET": sections.show, "PUT": sections.update, "DELETE": sections.delete},
    "/sections/{section}/crosslist": {"DELETE": sections.uncrosslist},
    "/sections/{section}/crosslist/{course}": {"POST": sections.crosslist},
    "/sections/{section}/enrollments": {
        "GET": enrollments.index_of_section,
        "POST": enrollments.create_in_section,
    },
    "/users/{user}": {"GET": users.show, "PUT": users.update},
    "/users/{user}/logins": {"GET": logins.index_of_user},
    "/users/{user}/logins/{login}": {"DELETE": logins.delete},
    "/users/{user}/enrollments": {"GET": enrollments.index_of_user},
    "/progress/{progress}": {"GET": users.progress},
}


def routes(world: World) -> list[BaseRoute]:
    """Every route of REST below /canvas; what no route answers is Canvas's own 404, so put these last."""
    found: list[BaseRoute] = [
        ApiRoute(f"/api/v1{path}", api(locked(handler), world), methods=[verb])
        for path, handlers in PATHS.items()
        for verb, handler in handlers.items()
    ]
    return [
        *found,
        ApiRoute("/files/{file}/download", api(download, world), methods=["GET"]),
        ApiRoute("/api/{rest:path}", api(_unknown, world), methods=list(VERBS)),
    ]


def locked(handler: Handler) -> Handler:
    """A handler that has Canvas for itself, and whose refusals are answered as errors of the record."""

    def answer(request: Request, world: World) -> Response:
        with world.canvas.lock:
            try:
                return handler(request, world)
            except CanvasRefusal as refusal:
                raise invalid(_attribute(str(refusal)), str(refusal)) from refusal

    return answer


def _attribute(message: str) -> str:
    """The field a refusal is about; Canvas's model errors name it, their text begins with it."""
    begins = {
        "SIS ID": "sis_source_id",
        "Integration ID": "integration_id",
        "End date": "end_at",
        "Setting account": "parent_account_id",
        "Cannot delete": "workflow_state",
    }
    return next((field for begin, field in begins.items() if message.startswith(begin)), "base")


def _unknown(request: Request, world: World) -> Response:
    raise not_found()
