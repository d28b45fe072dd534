"""Every path of the sandbox's Canvas, below /canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas.rest import routes as rest
from sandbox.canvas.sis import routes as sis

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from sandbox.world import World


def routes(world: World) -> list[BaseRoute]:
    """SIS imports first: REST's last route answers 404 to all that is left."""
    return [*sis.routes(world), *rest.routes(world)]
