"""The mail about entries of the queue that failed: grouped by cause, each with its remedy (reference coursekey §6).

One mail a run at most. An entry that goes on failing with the same cause is told again after a day; when none is failed
any more, that is told once. Campus Cafe IDs and sections are named, never names, addresses, passwords or keys.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.queue import Entry
from rosterflow.domain.errors import REMEDIES, Code
from rosterflow.store import notices, queue_looking
from rosterflow.store.engine import Store
from rosterflow.sync.letters import Letter, Post, moment_text, send_once, write

AGAIN_AFTER = timedelta(days=1)
MOST = 1000
"""So many failed entries are looked at; more of them have few causes."""
SHOWN = 25


@dataclass(frozen=True, slots=True)
class Line:
    """One entry, as the mail shows it."""

    number: int
    subject: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class Cause:
    """Entries that failed for the same reason.

    :param remedy: what to do; empty when each reason says it.
    :param more: how many are not shown.
    """

    name: str
    count: int
    remedy: str
    shown: tuple[Line, ...]
    more: int


def tell(store: Store, college: College, post: Post, now: datetime) -> int:
    """Mail what is due.

    :returns: how many failed entries the mail told of.
    :raises RosterflowError: ``mail-failed``, as ``post`` does; the next run tries again.
    """
    prefix = f"coursekey:{college.key}:"
    with store.begin() as connection:
        failed = queue_looking.failed(connection, college.key, college.coursekey.api_name, MOST)
        topics = {f"{prefix}{entry.id}": entry for entry in failed}
        news = [
            entry
            for topic, entry in topics.items()
            if notices.is_due(connection, topic, _cause(entry), now, AGAIN_AFTER)
        ]
        was_told = notices.has_any(connection, prefix)
        if failed:
            notices.forget_others(connection, prefix, list(topics))  # should they fail again, that is news
    if not news and (failed or not was_told):
        return 0
    letter = failure_letter(college, news, len(failed) - len(news)) if news else recovery_letter(college)

    def told() -> None:
        with store.begin() as connection:
            if not news:
                notices.forget_others(connection, prefix, [])
            for entry in news:
                notices.record_notice(connection, f"{prefix}{entry.id}", _cause(entry), now)

    send_once(post, letter, told)
    return len(news)


def failure_letter(college: College, news: list[Entry], still: int) -> Letter:
    """The mail about entries that failed.

    :param still: how many others are failed that were told of before.
    """
    by_cause: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in news:
        by_cause[_cause(entry)].append(entry)
    causes = [_shown(college, name, some) for name, some in sorted(by_cause.items(), key=lambda one: -len(one[1]))]
    count = f"{len(news)} {'entry' if len(news) == 1 else 'entries'}"
    return write(
        "coursekey",
        college.coursekey.email,
        f"{college.name}: {count} could not be sent to CourseKey",
        name=college.name,
        key=college.key,
        causes=causes,
        still=still,
    )


def recovery_letter(college: College) -> Letter:
    """The mail that says that no entry is failed any more."""
    subject = f"{college.name}: recovered, no entry for CourseKey is failed any more"
    return write("coursekey", college.coursekey.email, subject, name=college.name, key=college.key, causes=[], still=0)


def _shown(college: College, name: str, entries: list[Entry]) -> Cause:
    lines = tuple(
        Line(
            entry.id,
            str(entry.entity),
            entry.reason,
            moment_text(entry.changed_at or entry.created_at, college.zone),
        )
        for entry in entries[:SHOWN]
    )
    remedy = REMEDIES[Code(name)] if name in set(Code) else ""
    return Cause(name, len(entries), remedy, lines, max(len(entries) - SHOWN, 0))


def _cause(entry: Entry) -> str:
    return entry.error_code or entry.rule
