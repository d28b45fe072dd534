"""CourseKey's export side under one auth key: the time attended at a school, as the pages it comes in.

Pages are handed on unchanged, since they are the evidence of every minute that is booked; what they say is read by
:mod:`rosterflow.wire.coursekey_export`. Source: docs/coursekey-contract.md, export side.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from typing import Any

import httpx
import msgspec

from rosterflow.domain.errors import Code, RetryableError
from rosterflow.hooks.coursekey import TIMEOUT, CourseKeyHook
from rosterflow.wire.coursekey_export import EXPORT, ExportProfile, rows_of
from rosterflow.wire.coursekey_json import Request, Unreadable
from rosterflow.wire.coursekey_profile import Operation


class RawPage(msgspec.Struct, frozen=True):
    """One page as it came.

    :param number: counted from 1.
    :param body: its bytes, unchanged.
    :param rows: how many records it has, usable or not.
    :param following: the cursor of the next page, ``None`` after the last.
    :param is_hollow: whether it has no records and should have: a cursor announced it, or it announces another.
    """

    number: int
    body: bytes
    rows: int
    following: str | None
    is_hollow: bool = False


class CourseKeyExportHook(CourseKeyHook):
    """Reads the export under one auth key; use it as an asynchronous context.

    :param coursekey_conn_id: an Airflow connection of type ``coursekey``: the password is the auth key.
    :param profile: what is assumed of the export.
    :param base_url: COURSEKEY_EXPORT_BASE_URL.
    """

    def __init__(
        self,
        coursekey_conn_id: str,
        profile: ExportProfile = EXPORT,
        *,
        base_url: str = "",
        timeout: httpx.Timeout = TIMEOUT,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(coursekey_conn_id, profile.wire, base_url=base_url, timeout=timeout, sleep=sleep)
        self.export = profile

    async def pages(self, school: str, first: date, last: date) -> AsyncIterator[RawPage]:
        """The pages of the time attended at a school on some days, both inclusive, each when it is asked for.

        :raises FatalError: ``unauthorized``, ``forbidden`` when the key cannot be used for the school.
        :raises RetryableError: when a page does not come; ``bad-response`` when it is no page of a list,
            ``cursor-repeated`` when it leads back to one before.
        """
        listing = self.export.wire.listing
        asked: set[str] = set()
        cursor = "1" if listing.page_size else ""
        number = 0
        while cursor not in asked:
            asked.add(cursor)
            number += 1
            paging = {listing.parameter: cursor} if cursor else {}
            if listing.size_parameter:
                paging[listing.size_parameter] = str(listing.page_size)
            days = {"school": school, "first": first, "last": last}
            body, rows, following = await self._sent(Operation.TIME_ATTENDED, days, paging)
            if listing.page_size:
                following = str(number + 1) if rows >= listing.page_size else None
            is_announced = number > 1 and not listing.page_size
            yield RawPage(number, body, rows, following, not rows and (is_announced or following is not None))
            if following is None:
                return
            cursor = following
        raise RetryableError(Code.CURSOR_REPEATED, f"CourseKey's export: page {number} leads back to one before it.")

    def _understood(self, operation: Operation, request: Request, answer: httpx.Response) -> Any:
        """A page's bytes, with the number of its records and the next page's cursor."""
        try:
            if answer.is_success:
                rows, following = rows_of(self.export.wire.listing, answer.content)
                return answer.content, len(rows), following
            words = f"CourseKey's export answered with {answer.status_code}."
        except Unreadable as error:
            words = f"CourseKey's answer to '{operation}': {error}."
        super()._understood(operation, request, answer)
        raise RetryableError(Code.BAD_RESPONSE, words)
