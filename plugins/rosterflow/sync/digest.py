"""The daily digest: rows that could not be used or were refused, by cause, to those who subscribed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from rosterflow.domain.errors import REMEDIES, Code
from rosterflow.domain.institution import Institution
from rosterflow.store import failures, row_errors, tallies
from rosterflow.store.engine import Store
from rosterflow.store.runs import Run
from rosterflow.sync.letters import Letter, Post, moment_text, send_once, write

SHOWN = 10
"""Rows named for each cause; the rest is counted."""

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cause:
    """Open row errors with one code.

    :param since: local date on which the oldest of them was first seen.
    :param fresh: how many are new since the last digest.
    :param shown: the first of them, as rows with ``subject`` and ``message``.
    """

    code: str
    remedy: str
    count: int
    fresh: int
    since: str
    shown: tuple[Any, ...]

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.count - len(self.shown)


@dataclass(frozen=True, slots=True)
class Recovered:
    """A cause that was in the last digest and is gone."""

    code: str
    count: int


@dataclass(frozen=True, slots=True)
class Digest:
    """What there is to say about an institution on a day.

    :param day: local date.
    :param incomplete: runs since the last digest that had not seen everything.
    """

    day: str
    causes: tuple[Cause, ...]
    recovered: tuple[Recovered, ...]
    incomplete: tuple[Run, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say."""
        return not (self.causes or self.recovered or self.incomplete)

    @property
    def subject(self) -> str:
        """What it is about, in a few words."""
        rows = sum(cause.count for cause in self.causes)
        if self.causes:
            return f"{rows} row{_s(rows)} need{'s' if rows == 1 else ''} attention"
        if self.incomplete:
            return "the last read was not complete"
        return "a cause is gone" if len(self.recovered) == 1 else f"{len(self.recovered)} causes are gone"


def send_digest(store: Store, institution: Institution, post: Post, now: datetime) -> bool:
    """Send an institution's digest if today's is due and there is something to say.

    It is due once a local day, from ``mail.digest_hour`` on. When two senders race, or the process ends between mail
    and record, it is sent twice rather than never.

    :returns: whether it was sent.
    :raises RosterflowError: ``mail-failed``; it stays due.
    """
    local = now.astimezone(institution.zone)
    if not institution.mail.digest or local.hour < institution.mail.digest_hour:
        return False
    day = local.date().isoformat()
    with store.begin() as connection:
        last = failures.last_digest(connection, institution.key)
        if last and last.day >= day:
            return False
        made = digest_of(connection, institution, day, last.at if last else None)
    if made.is_empty:
        _record(store, institution, day, now, sent=False)
        return False
    send_once(post, letter_of(institution, made), lambda: _record(store, institution, day, now, sent=True))
    return True


def digest_of(connection: Connection, institution: Institution, day: str, last_at: datetime | None) -> Digest:
    """What there is to say.

    :param last_at: when the last digest was made; without one nothing can have recovered.
    """
    since = last_at or LONG_AGO
    found = row_errors.open_errors(connection, institution.key)
    still = {row.code for row in found}
    gone = row_errors.gone_since(connection, institution.key, last_at) if last_at else ()
    recovered = Counter(row.code for row in gone if row.first_at <= since and row.code not in still)
    return Digest(
        day=day,
        causes=_causes(found, institution, since),
        recovered=tuple(Recovered(code, count) for code, count in sorted(recovered.items())),
        incomplete=tuple(tallies.incomplete_runs(connection, institution.key, since)),
    )


def letter_of(institution: Institution, made: Digest) -> Letter:
    """The digest as a mail to its subscribers."""
    return write(
        "digest",
        institution.mail.digest,
        f"{institution.name}: {made.subject}",
        name=institution.name,
        key=institution.key,
        day=made.day,
        causes=made.causes,
        recovered=made.recovered,
        incomplete=[
            {
                "at": moment_text(run.started_at, institution.zone),
                "why": "; ".join(run.counts.get("first_gaps", ())),
            }
            for run in made.incomplete
        ],
    )


def _causes(found: Iterable[Any], institution: Institution, since: datetime) -> tuple[Cause, ...]:
    by_code: dict[str, list[Any]] = {}
    for row in found:
        by_code.setdefault(row.code, []).append(row)
    causes = [_cause(code, rows, institution, since) for code, rows in by_code.items()]
    return tuple(sorted(causes, key=lambda cause: (-cause.count, cause.code)))


def _cause(code: str, rows: Sequence[Any], institution: Institution, since: datetime) -> Cause:
    oldest = min(row.first_at for row in rows)
    newest_first = sorted(rows, key=lambda row: (-row.first_at.timestamp(), row.subject))
    return Cause(
        code=code,
        remedy=REMEDIES[Code(code)],
        count=len(rows),
        fresh=sum(row.first_at > since for row in rows) if since != LONG_AGO else 0,
        since=oldest.astimezone(institution.zone).date().isoformat(),
        shown=tuple(newest_first[:SHOWN]),
    )


def _record(store: Store, institution: Institution, day: str, now: datetime, *, sent: bool) -> None:
    with store.begin() as connection:
        failures.record_digest(connection, institution.key, day, now, sent=sent)


def _s(count: int) -> str:
    return "" if count == 1 else "s"
