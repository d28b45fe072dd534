"""What a drain writes down of the entries it has worked off: some at a time, in one transaction.

A commit takes longer than a call. Were we killed before it, the entries would be sent again, which changes nothing:
what is made is looked up first.
"""

from __future__ import annotations

from sqlalchemy import Connection

from rosterflow.domain.coursekey.queue import Entity, Entry, EntryState, Verdict
from rosterflow.store import coursekey_maps, queue, queue_looking
from rosterflow.store.coursekey_maps import MapKey, Mapped
from rosterflow.store.queue import Request
from rosterflow.store.queue_finishing import Ending, finish_all
from rosterflow.store.queue_looking import Selection
from rosterflow.sync.coursekey_desk import UNCHANGED, Sent
from rosterflow.sync.coursekey_turns import hindered
from rosterflow.sync.drain_state import Failure, Work

AT_ONCE = 50
"""So many entries are written in one transaction, unless they wait too long for it."""
MOST_IN_ONE = 10_000
"""More entries than a section or a person has."""


class Writing:
    """What has become of entries and is not written down yet."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._endings: list[Ending] = []
        self._known: dict[MapKey, Mapped] = {}
        self._forgotten: list[MapKey] = []
        self._there_now: dict[str, list[Entity]] = {}

    def sent(self, entry: Entry, sent: Sent) -> None:
        """An entry was sent, or did not have to be."""
        self._known.update((one.key, one) for one in sent.known)
        self._forgotten += sent.forgotten
        if sent is not UNCHANGED and (rule := hindered(entry)):
            self._there_now.setdefault(rule, []).append(entry.entity)
        self._end(Ending(entry, sent.state, sent.rule, sent.reason))

    def failed(self, entry: Entry, why: Failure) -> None:
        """An entry was not sent."""
        self._end(Ending(entry, why.state, why.rule, why.reason, why.code, why.due_at))

    def _end(self, ending: Ending) -> None:
        self._endings.append(ending)
        if len(self._endings) >= AT_ONCE:
            self.write()

    def write(self) -> None:
        """Write it down: one transaction.

        :raises RetryableError: ``store-unavailable``; it is lost then, and the entries are sent again.
        """
        if not self._endings:
            return
        endings, known, forgotten, there_now = self._endings, self._known, self._forgotten, self._there_now
        self._endings, self._known, self._forgotten, self._there_now = [], {}, [], {}
        college, now = self._work.college.key, self._work.clock()
        with self._work.store.begin() as connection:
            coursekey_maps.put(connection, college, known.values(), now)
            for key in forgotten:
                coursekey_maps.forget(connection, college, key)
            finish_all(connection, *self._queue, endings, now)
            for rule, entities in there_now.items():
                queue.put(connection, *self._queue, self._failed_because_of(connection, entities, rule), now)

    @property
    def _queue(self) -> tuple[str, str]:
        return self._work.college.key, self._work.college.coursekey.api_name

    def _failed_because_of(self, connection: Connection, entities: list[Entity], rule: str) -> list[Request]:
        """What failed because something was not there, or was, to be tried again; the rules are asked when it is."""
        failed = [EntryState.FAILED]
        if not queue_looking.entries(connection, *self._queue, failed, Selection(rule=rule), 1):
            return []
        names = ("semester", "course", "section", "person")
        found: list[Request] = []
        for entity in entities:
            which = Selection(rule=rule, **{name: getattr(entity, name) for name in names})
            said = Verdict(EntryState.PENDING, "not-hindered", f"The {entity.kind} does not stand in its way any more.")
            some = queue_looking.entries(connection, *self._queue, failed, which, MOST_IN_ONE)
            found += (Request(one.entity, one.intent, said, one.forced, one.asked_by) for one in some)
        return found
