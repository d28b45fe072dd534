"""Asks the sandbox's FS, straight into its service: no socket, no Canvas behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.faults import Fault, Faults
from sandbox.fs.service import Service
from sandbox.university.generate import generate
from sandbox.university.model import University

ALL_FLAGS = "beta, experimental"


@dataclass
class FsWorld:
    """As much of the sandbox's world as FS needs."""

    university: University
    faults: Faults = field(default_factory=Faults)
    dialect: str = "2026"

    def __hash__(self) -> int:
        return id(self)


class FsClient:
    def __init__(self, size: str = "demo", dialect: str = "2026", seed: int = 1) -> None:
        self.world = FsWorld(generate(seed, size, 2026, "HOST"))
        self.dialect = dialect
        self._service = Service(self.world)  # type: ignore[arg-type]

    def ask(self, query: str, flags: str = ALL_FLAGS, operation: str | None = None, **variables: Any) -> dict[str, Any]:
        """The whole answer."""
        body = {"query": query, "variables": variables, "operationName": operation}
        return self._service.answer(body, self.dialect, flags)

    def data(self, query: str, flags: str = ALL_FLAGS, **variables: Any) -> dict[str, Any]:
        """The data of an answer that has no errors."""
        answer = self.ask(query, flags, **variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def message(self, query: str, flags: str = ALL_FLAGS, **variables: Any) -> str:
        """The text of the one error of an answer."""
        (error,) = self.ask(query, flags, **variables)["errors"]
        message: str = error["message"]
        return message

    def walk(self, query: str, root: str, **variables: Any) -> list[list[Any]]:
        """Every page of a root connection, by its cursors."""
        pages, after = [], None
        while True:
            connection = self.data(query, after=after, **variables)[root]
            pages.append(connection["nodes"])
            if not connection["pageInfo"]["hasNextPage"]:
                return pages
            after = connection["pageInfo"]["endCursor"]

    def break_(self, kind: str, **more: Any) -> None:
        self.world.faults.add(Fault("fs", kind, **more))
