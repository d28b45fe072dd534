"""The sandbox as one ASGI application: every service under its own path, the faults around all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from sandbox import college_control, college_pages, control, mail_pages, pages
from sandbox.campuscafe.routes import routes as campus_cafe_routes
from sandbox.canvas.routes import routes as canvas_routes
from sandbox.coursekey.export import routes as coursekey_export_routes
from sandbox.coursekey.routes import routes as coursekey_routes
from sandbox.fs.routes import routes as fs_routes
from sandbox.http_faults import FaultMiddleware

if TYPE_CHECKING:
    from sandbox.world import World


def build_app(world: World) -> Starlette:
    """The application over a world: every service below its own path, /mail, /control, and the pages."""
    return Starlette(
        routes=[
            Mount("/fs", routes=fs_routes(world)),
            Mount("/canvas", routes=canvas_routes(world)),
            Mount("/campuscafe", routes=campus_cafe_routes(world)),
            Mount("/coursekey", routes=coursekey_routes(world)),
            Mount("/coursekey-export", routes=coursekey_export_routes(world)),
            *control.routes(world),
            *college_control.routes(world),
            *college_pages.routes(world),
            *mail_pages.routes(world),
            *pages.routes(world),
        ],
        middleware=[Middleware(FaultMiddleware, world=world)],
    )
