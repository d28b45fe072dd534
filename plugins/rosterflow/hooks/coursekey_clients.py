"""The HTTP connections of one auth key of CourseKey."""

from __future__ import annotations

import httpx

IDLE = 2.0
"""Seconds for which a connection is kept: were it the server that closed it, a create would lose its answer."""


class Clients:
    """HTTP clients of one connection each, lent for one call at a time, the last one used first.

    A client of many connections looks through all of them before and after each call, and asks the operating system
    about those that are idle: with thirty of them that costs more than the rest of the call.

    :param timeout: how long is waited for a connection and for an answer.
    """

    def __init__(self, timeout: httpx.Timeout) -> None:
        self._timeout = timeout
        self._verify = httpx.create_ssl_context()
        self._all: list[httpx.AsyncClient] = []
        self._free: list[httpx.AsyncClient] = []

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Send a request with whichever client is free; its whole answer."""
        client = self._free.pop() if self._free else self._another()
        try:
            return await client.send(request)
        finally:
            self._free.append(client)

    async def close(self) -> None:
        """Close the connections."""
        for client in self._all:
            await client.aclose()

    def _another(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=IDLE)
        client = httpx.AsyncClient(timeout=self._timeout, limits=limits, verify=self._verify)
        self._all.append(client)
        return client
