"""What people were told by mail, so that they are told once and reminded daily, not every hour."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from rosterflow.store.bulk import upsert
from rosterflow.store.tables import notice


def is_due(connection: Connection, topic: str, content: str, now: datetime, again_after: timedelta | None) -> bool:
    """Whether people are to be told: never told, told something else, or told long enough ago.

    :param again_after: after this long they are reminded; ``None`` means never.
    """
    row = connection.execute(select(notice).where(notice.c.topic == topic)).first()
    if row is None or row.content != _digest(content):
        return True
    return again_after is not None and now - row.at >= again_after


def record_notice(connection: Connection, topic: str, content: str, now: datetime) -> None:
    """Write down that people were told."""
    upsert(connection, notice, [{"topic": topic, "content": _digest(content), "at": now}])


def has_any(connection: Connection, prefix: str) -> bool:
    """Whether people were told about anything of a prefix that is not forgotten yet."""
    told = select(notice.c.topic).where(notice.c.topic.startswith(prefix, autoescape=True))
    return connection.execute(told.limit(1)).first() is not None


def forget_others(connection: Connection, prefix: str, topics: Sequence[str]) -> None:
    """Forget what was told about things of a prefix that are no trouble any more; if they come back it is news."""
    connection.execute(
        delete(notice).where(notice.c.topic.startswith(prefix, autoescape=True), notice.c.topic.not_in(topics))
    )


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()
