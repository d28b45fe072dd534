"""Waits until Canvas is done with a SIS import or a report."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Any

import httpx
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from rosterflow.domain.errors import RosterflowError
from rosterflow.hooks.canvas import TIMEOUT, CanvasHook
from rosterflow.hooks.canvas_records import REPORT_RUNNING, RUNNING

log = logging.getLogger(__name__)


class Awaited(StrEnum):
    """What can be waited for, with the path under which Canvas tells its state."""

    SIS_IMPORT = "/accounts/self/sis_imports/{id}"
    REPORT = "/accounts/self/reports/provisioning_csv/{id}"


class CanvasTrigger(BaseTrigger):
    """Yields one event when the import or report is over, or when its time is up.

    What became of it is not in the event: the task looks itself. A call that fails is repeated at the next turn,
    because the import goes on whether or not we can see it.

    :param canvas_conn_id: the Airflow connection.
    :param awaited: what is waited for.
    :param canvas_id: Canvas's id of it.
    :param poll_seconds: how often it is looked at.
    :param deadline: epoch seconds after which the event is ``late``.
    """

    def __init__(
        self, *, canvas_conn_id: str, awaited: str, canvas_id: str, poll_seconds: float, deadline: float
    ) -> None:
        super().__init__()
        self.canvas_conn_id = canvas_conn_id
        self.awaited = Awaited(awaited)
        self.canvas_id = canvas_id
        self.poll_seconds = poll_seconds
        self.deadline = deadline

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The trigger as Airflow keeps it."""
        values = ("canvas_conn_id", "awaited", "canvas_id", "poll_seconds", "deadline")
        return (f"{type(self).__module__}.{type(self).__qualname__}", {name: getattr(self, name) for name in values})

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until it is over or late."""
        try:
            base, headers = await sync_to_async(CanvasHook(self.canvas_conn_id).settings)()
        except RosterflowError as error:
            yield TriggerEvent({"status": "failed", "code": str(error.code), "message": error.message})
            return
        path = self.awaited.format(id=self.canvas_id)
        async with httpx.AsyncClient(base_url=base, headers=headers, timeout=TIMEOUT) as client:
            while time.time() < self.deadline:
                if await self._is_over(client, path):
                    yield TriggerEvent({"status": "over"})
                    return
                await asyncio.sleep(self.poll_seconds * random.uniform(0.9, 1.1))  # noqa: S311 - spreads load, no secret
        yield TriggerEvent({"status": "late"})

    async def _is_over(self, client: httpx.AsyncClient, path: str) -> bool:
        try:
            answer = await client.get(path)
            answer.raise_for_status()
            told = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            log.warning("Canvas could not be asked about %s (%s); asking again", path, error.__class__.__name__)
            return False
        if self.awaited is Awaited.REPORT:
            return told["status"] not in REPORT_RUNNING
        return told["workflow_state"] not in RUNNING
