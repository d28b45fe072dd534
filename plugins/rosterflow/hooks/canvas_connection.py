"""What an Airflow connection says about a Canvas: its address and the headers of every call."""

from __future__ import annotations

import re
import ssl
from functools import cache
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from rosterflow import __version__
from rosterflow.domain.errors import Code, FatalError


class Connection(Protocol):
    """An Airflow connection, as far as it is looked at."""

    conn_id: str
    host: str | None
    schema: str | None
    port: int | None
    password: str | None


def base_of(connection: Connection) -> str:
    """The API's base URL; the host may be written with or without scheme and with or without ``/api/v1``.

    :raises FatalError: ``connection-invalid`` when it has no usable host.
    """
    host = connection.host or ""
    if host and "://" not in host:
        host = f"{connection.schema or 'https'}://{host}" + (f":{connection.port}" if connection.port else "")
    if not _is_address(host):
        raise _invalid(connection, "host must be Canvas's address, like https://canvas.example.edu")
    return host.rstrip("/").removesuffix("/api/v1") + "/api/v1"


def headers_of(connection: Connection) -> dict[str, str]:
    """The headers of every call, token included.

    :raises FatalError: ``connection-invalid`` when it has no usable token.
    """
    if not connection.password:
        raise _invalid(connection, "the access token is missing")
    if not re.fullmatch("[!-~]+", connection.password):
        raise _invalid(connection, "the access token holds a blank, the end of a line or a letter that no token has")
    return {
        "Authorization": f"Bearer {connection.password}",
        "Accept": "application/json+canvas-string-ids",
        "User-Agent": f"rosterflow/{__version__}",
    }


@cache
def tls() -> ssl.SSLContext:
    """How connections are verified; made once in a process, for that takes as long as some calls."""
    return httpx.create_ssl_context()


def _invalid(connection: Connection, words: str) -> FatalError:
    return FatalError(Code.CONNECTION_INVALID, f"Connection {connection.conn_id}: {words}.")


def _is_address(host: str) -> bool:
    """Whether it is one over HTTP, without a user's name, which would take the place of the token."""
    try:
        parts = urlsplit(host)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username and parts.port != 0
    except ValueError:
        return False
