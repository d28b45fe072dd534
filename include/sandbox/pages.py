"""The page at /: what is in Canvas now, as a tree of accounts with their courses and sections, and a search in it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.routing import Route

from sandbox.rendering import page
from sandbox.tree import ENTRIES_ON_A_PAGE, path_to, search, tree_page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from sandbox.world import World

HITS_SHOWN = 200


def routes(world: World) -> list[BaseRoute]:
    """The routes of the tree: / is the root account, /tree/{account_id} any account, ?q= a search below it.

    /sections/{section_id} shows the people of a section.
    """

    def show(request: Request) -> Response:
        canvas = world.canvas
        root = canvas.tree()
        path = path_to(root, request.path_params.get("account_id", root["id"]))
        if not path:
            raise HTTPException(404, "Canvas has no such account, or it is deleted.")
        account = path[-1]
        shown: dict[str, Any] = {
            "path": path,
            "account": account,
            "counts": canvas.counts(),
            "last_import": canvas.sis_batches.get(max(canvas.sis_batches, default=0)),
        }
        query = request.query_params.get("q", "").strip()
        if query:
            hits = list(islice(search(account, query), HITS_SHOWN + 1))
            return page(world, "search.html", query=query, hits=hits[:HITS_SHOWN], more=len(hits) > HITS_SHOWN, **shown)
        start = request.query_params.get("from", "0")
        listed = tree_page(account, int(start) if start.isdecimal() else 0)
        return page(world, "tree.html", query="", listed=listed, page_length=ENTRIES_ON_A_PAGE, **shown)

    def show_section(request: Request) -> Response:
        canvas = world.canvas
        section = canvas.roster(request.path_params["section_id"])
        if section is None:
            raise HTTPException(404, "Canvas has no such section, or it is deleted.")
        return page(
            world, "section.html", section=section, path=path_to(canvas.tree(), section["course"]["account_id"])
        )

    return [
        Route("/", show, methods=["GET"]),
        Route("/tree/{account_id:int}", show, methods=["GET"]),
        Route("/sections/{section_id:int}", show_section, methods=["GET"]),
    ]
