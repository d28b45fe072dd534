"""Who may ask: HTTP Basic, or the key of the gateway in front of FS, which adds the Basic header itself.

Source: FS reference, sections 2.1 and 2.2.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.requests import Request

USER = "sandbox"
PASSWORD = "sandbox"
GATEWAY_HEADER = "X-Gravitee-Api-Key"
GATEWAY_KEY = "sandbox-key"


def is_authorized(request: Request) -> bool:
    """Tell whether a request carries the user's Basic credentials or the gateway key."""
    if request.headers.get(GATEWAY_HEADER) == GATEWAY_KEY:
        return True
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        decoded = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    return decoded == f"{USER}:{PASSWORD}"


def unauthorized() -> JSONResponse:
    """Return the answer to anyone else: 401 with the scheme that is wanted."""
    return JSONResponse(
        {"status": 401, "error": "Unauthorized", "message": "Full authentication is required."},
        status_code=401,
        headers={"WWW-Authenticate": 'Basic realm="FS"'},
    )
