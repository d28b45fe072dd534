"""Running the sandbox: HTTP and SMTP in one thread of their own, ready when started and gone when stopped."""

from __future__ import annotations

import asyncio
import functools
import socket
import threading
from typing import TYPE_CHECKING, Any, Self

import uvicorn
from aiosmtpd.smtp import SMTP
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from sandbox.app import build_app
from sandbox.mail import Postmaster
from sandbox.world import Settings, World

if TYPE_CHECKING:
    from types import TracebackType

READY_SECONDS = 30.0
MESSAGE_BYTES = 33_554_432


class PortTaken(Exception):
    """A port that cannot be listened on, usually because another process does; the message says which."""


class RunningSandbox:
    """A sandbox that listens while the ``with`` block runs.

    Port 0 takes any free port; ``port``, ``url`` and ``smtp_port`` tell the ports taken. Without a world of its own
    it gets a small one. Raises PortTaken when made, before anything has started.
    """

    def __init__(
        self, world: World | None = None, *, host: str = "127.0.0.1", port: int = 0, smtp_port: int = 0
    ) -> None:
        self.host = host
        self._http_socket = _listening(host, port)
        try:
            self._smtp_socket = _listening(host, smtp_port)
        except PortTaken:
            self._http_socket.close()
            raise
        self.world = world or World(Settings(size="small"))
        self.port: int = self._http_socket.getsockname()[1]
        self.smtp_port: int = self._smtp_socket.getsockname()[1]
        self._ready = threading.Event()
        self._server = _Server(_config(self.world), self._ready)
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)

    @property
    def url(self) -> str:
        """The address of the sandbox's page, without a slash at the end; the services are below it."""
        return f"http://{self.host}:{self.port}"

    def __enter__(self) -> Self:
        """Start, and return when requests are answered."""
        self._thread.start()
        self._ready.wait(READY_SECONDS)
        if not self._server.started:
            raise RuntimeError("The sandbox did not start; its thread's error is above.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and return when both ports are free and nothing runs any more."""
        self._server.should_exit = True
        self._thread.join()
        self.world.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        session = functools.partial(
            SMTP, Postmaster(self.world), data_size_limit=MESSAGE_BYTES, hostname="sandbox", loop=loop
        )
        smtp = await loop.create_server(session, sock=self._smtp_socket)
        try:
            await self._server.serve(sockets=[self._http_socket])
        finally:
            smtp.close()


class _Server(uvicorn.Server):
    """Uvicorn that says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()


class _Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # uvicorn chooses it at run time
    """Uvicorn's HTTP protocol that tells the application its transport, so that a fault can close it."""

    app_state: dict[str, Any]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}

    def shutdown(self) -> None:
        # Not the graceful way: a request that a fault holds back would outlast the sandbox.
        self.app_state["transport"].close()


def _config(world: World) -> uvicorn.Config:
    """Quiet, with idle connections kept longer than any client's pool keeps them."""
    return uvicorn.Config(
        build_app(world),
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=300,
        timeout_graceful_shutdown=1,
    )


def _listening(host: str, port: int) -> socket.socket:
    # Named as TCP, or asyncio leaves Nagle on and every kept-alive answer takes 40 ms longer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) else error
        raise PortTaken(f"port {port} cannot be listened on: {reason}") from error
    return listener
