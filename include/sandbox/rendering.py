"""Turning templates into pages, for every page of the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

if TYPE_CHECKING:
    from starlette.responses import Response

    from sandbox.world import World

# Mail is shown inside the pages and may style itself, but nothing may be fetched or run.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'"

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["thousands"] = lambda number: f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
_templates.filters["hours"] = lambda minutes: f"{minutes // 60} h {minutes % 60:02} min"


def page(world: World, template: str, status: int = 200, **context: Any) -> Response:
    """A page made from a template, with what every page's head and foot show."""
    shown = {"settings": world.settings, "mail_count": len(world.mailbox.messages()), **context}
    html = _templates.get_template(template).render(shown)
    return HTMLResponse(html, status, {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"})
