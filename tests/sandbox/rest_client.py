"""A client for the sandbox's Canvas without a socket: one request at a time, straight into the application."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.canvas.rest.routes import routes
from sandbox.canvas.state import Canvas, CanvasSettings
from sandbox.faults import Faults

TOKEN = "sandbox-canvas-token"
READ_ONLY = "sandbox-canvas-readonly"


@dataclass
class CanvasWorld:
    """As much of the sandbox's world as Canvas needs."""

    canvas: Canvas
    faults: Faults


class RestClient:
    def __init__(self, profile: str = "hosted-2026", **canvas: Any) -> None:
        faults = Faults()
        self.canvas = Canvas(faults=faults, settings=CanvasSettings(profile=profile), **canvas)
        self.world = CanvasWorld(self.canvas, faults)
        self._app = Starlette(routes=[Mount("/canvas", routes=routes(self.world))])  # type: ignore[arg-type]

    def call(self, method: str, path: str, *, token: str | None = TOKEN, **request: Any) -> httpx.Response:
        """`path` is below /canvas/api/v1, or a whole URL."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= request.pop("headers", {})
        url = path if path.startswith("http") else f"http://canvas.example/canvas/api/v1{path}"

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, headers=headers) as client:
                return await client.request(method, url, **request)

        return asyncio.run(send())

    def get(self, path: str, **request: Any) -> httpx.Response:
        return self.call("GET", path, **request)

    def post(self, path: str, **request: Any) -> httpx.Response:
        return self.call("POST", path, **request)

    def put(self, path: str, **request: Any) -> httpx.Response:
        return self.call("PUT", path, **request)

    def delete(self, path: str, **request: Any) -> httpx.Response:
        return self.call("DELETE", path, **request)

    def new_account(self, sis_id: str, name: str = "Institutt for prøver", parent: str = "self") -> dict[str, Any]:
        given = {"account[name]": name, "account[sis_account_id]": sis_id}
        return self._made(self.post(f"/accounts/{parent}/sub_accounts", data=given))

    def new_course(self, sis_id: str, account: str = "sis_account_id:FSDEMO", **fields: str) -> dict[str, Any]:
        given = {"name": f"Emne {sis_id}", "course_code": sis_id, "sis_course_id": sis_id, **fields}
        data = {f"course[{name}]": value for name, value in given.items()}
        return self._made(self.post(f"/accounts/{account}/courses", data=data))

    def new_section(self, sis_id: str, course: str, **fields: str) -> dict[str, Any]:
        given = {"name": f"Gruppe {sis_id}", "sis_section_id": sis_id, **fields}
        data = {f"course_section[{name}]": value for name, value in given.items()}
        return self._made(self.post(f"/courses/sis_course_id:{course}/sections", data=data))

    def new_term(self, sis_id: str, **fields: str) -> dict[str, Any]:
        given = {"name": f"Termin {sis_id}", "sis_term_id": sis_id, **fields}
        data = {f"enrollment_term[{name}]": value for name, value in given.items()}
        return self._made(self.post("/accounts/self/terms", data=data))

    def until(self, path: str, key: str, value: str) -> dict[str, Any]:
        """Ask until the answer's key has that value."""
        deadline = time.monotonic() + 10
        while (found := self.get(path).json())[key] != value:
            assert time.monotonic() < deadline, found
        return found  # type: ignore[no-any-return]

    @staticmethod
    def _made(response: httpx.Response) -> dict[str, Any]:
        assert response.status_code == 200, response.text
        return response.json()  # type: ignore[no-any-return]
