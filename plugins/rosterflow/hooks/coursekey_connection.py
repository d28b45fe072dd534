"""What an Airflow connection says about an auth key of CourseKey: where it is used, the key itself, and how fast."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import urlsplit

from rosterflow import __version__
from rosterflow.domain.errors import Code, FatalError
from rosterflow.wire.coursekey_profile import CourseKeyProfile, Limits, Place


class Connection(Protocol):
    """An Airflow connection, as far as it is looked at."""

    conn_id: str
    host: str | None
    schema: str | None
    port: int | None
    password: str | None

    @property
    def extra_dejson(self) -> dict[str, Any]:
        """The fields of the form that are ours."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the hook needs of a connection.

    :param base: address up to and with the prefix.
    :param query: what goes into the query of every call.
    :param limits: how fast this key may be used.
    :param school: the school that Test asks for.
    """

    base: str
    headers: dict[str, str]
    query: dict[str, str]
    key: str
    limits: Limits
    school: str = ""

    def __repr__(self) -> str:
        """Without the key."""
        return f"Settings(base={self.base!r})"


def settings_of(connection: Connection, profile: CourseKeyProfile, base_url: str = "") -> Settings:
    """Read a connection.

    :param base_url: COURSEKEY_BASE_URL; without it the connection's host counts (Test).
    :raises FatalError: ``connection-invalid`` when address, key or limits cannot be used.
    """
    key = connection.password or ""
    if not re.fullmatch("[!-~]+", key):
        raise invalid(connection, "the auth key is missing, or holds a blank or a letter that no key has")
    how = profile.authentication
    headers = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate"}
    headers["User-Agent"] = f"rosterflow/{__version__}"
    if how.place is Place.HEADER:
        headers[how.name] = f"{how.scheme} {key}".strip()
    return Settings(
        base=_base(connection, profile, base_url or host_of(connection)),
        headers=headers,
        query={how.name: key} if how.place is Place.QUERY else {},
        key=key,
        limits=_limits(connection, profile.limits),
        school=str(connection.extra_dejson.get("school_id") or ""),
    )


def host_of(connection: Connection) -> str:
    """The connection's address; it may be written with or without scheme."""
    host = connection.host or ""
    if not host or "://" in host:
        return host
    return f"{connection.schema or 'https'}://{host}" + (f":{connection.port}" if connection.port else "")


def is_address(host: str) -> bool:
    """Whether it is one over HTTP, without a user's name, which would take the place of the key."""
    try:
        parts = urlsplit(host)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username and parts.port != 0
    except ValueError:
        return False


def invalid(connection: Connection, words: str) -> FatalError:
    """The error of a connection that cannot be used."""
    return FatalError(Code.CONNECTION_INVALID, f"Connection {connection.conn_id}: {words}.")


def _base(connection: Connection, profile: CourseKeyProfile, address: str) -> str:
    if "://" not in address and address:
        address = f"https://{address}"
    if not is_address(address):
        raise invalid(connection, "host must be CourseKey's address, like https://api.thecoursekey.com")
    prefix = profile.prefix_of(urlsplit(address).hostname or "")
    return address.rstrip("/").removesuffix(prefix) + prefix


def _limits(connection: Connection, usual: Limits) -> Limits:
    said = connection.extra_dejson
    try:
        limits = replace(
            usual,
            calls_per_second=float(said.get("calls_per_second") or usual.calls_per_second),
            concurrent_calls=int(said.get("concurrent_calls") or usual.concurrent_calls),
        )
    except (TypeError, ValueError):
        raise invalid(connection, "calls_per_second and concurrent_calls must be numbers") from None
    if limits.calls_per_second <= 0 or limits.concurrent_calls < 1:
        raise invalid(connection, "calls_per_second and concurrent_calls must be more than nothing")
    return limits
