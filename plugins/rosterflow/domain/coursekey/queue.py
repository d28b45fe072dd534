"""The words of the outbound queue (reference coursekey §3.2): one entry per entity, and what becomes of it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec

from rosterflow.domain.coursekey.campus import SectionKey


class EntryKind(StrEnum):
    """What an entry is about, in the order in which CourseKey must be told; drops come last."""

    USER = "user"
    COURSE = "course"
    STAFF = "staff"
    SESSIONS = "sessions"
    ENROLLMENT = "enrollment"


class Intent(StrEnum):
    """What is to become true of it there."""

    UPSERT = "upsert"
    REMOVE = "remove"


class EntryState(StrEnum):
    """Where an entry stands; the unprocessed count of the source document is that of PENDING."""

    PENDING = "PENDING"
    DEFERRED = "DEFERRED"
    PROCESSING = "PROCESSING"
    DONE = "DONE"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"


OPEN = frozenset({EntryState.PENDING, EntryState.DEFERRED, EntryState.PROCESSING})
"""The states of an entry that is still to do."""


class Entity(msgspec.Struct, frozen=True, order=True):
    """What an entry is about: a person, a section, or a person in a section.

    :param semester: with ``course`` and ``section`` the section; all empty for a USER.
    :param person: Campus Cafe ID; ``""`` for a COURSE and for SESSIONS (all meetings of one section).
    :param site: of a USER the course site at whose school it is needed; else ``""``.
    """

    kind: EntryKind
    semester: str = ""
    course: str = ""
    section: str = ""
    person: str = ""
    site: str = ""

    @property
    def section_key(self) -> SectionKey | None:
        """The section, unless it is about a person alone."""
        return SectionKey(self.semester, self.course, self.section) if self.semester else None

    def __str__(self) -> str:
        place = f"{self.semester}/{self.course}/{self.section}" if self.semester else self.site
        return f"{self.kind} {place} {self.person}".strip()


class Verdict(msgspec.Struct, frozen=True):
    """What the rules say of one entity now (``domain/coursekey/rules.py``).

    :param state: PENDING (send it), DEFERRED (until ``opens_on``), SKIPPED (not to be sent), FAILED (cannot be sent
        before a person mends something).
    :param rule: id of the rule that decided, stable over time (``before-window``, ``cutover`` …).
    :param reason: one sentence for a person, without personal data, with its remedy when it FAILED.
    :param facts: what it was decided on, as name and value.
    """

    state: EntryState
    rule: str
    reason: str
    opens_on: date | None = None
    facts: tuple[tuple[str, str], ...] = ()


class Entry(msgspec.Struct, frozen=True):
    """One row of the queue.

    :param generation: grows each time that the entity changes; an entry that changed while it was PROCESSING goes
        back to PENDING when it ends.
    :param forced: asked for by a person: windows that are not yet open are ignored.
    :param asked_by: ``collector``, or who asked for it by hand.
    :param due_at: not before this moment (back-off).
    :param attempts: how often it was tried.
    :param holder: who processes it.
    :param error_code: of its last failure.
    :param changed_at: when its state last changed.
    """

    id: int
    entity: Entity
    intent: Intent
    state: EntryState
    rule: str
    reason: str
    generation: int
    forced: bool
    asked_by: str
    due_at: datetime
    created_at: datetime
    opens_on: date | None = None
    attempts: int = 0
    holder: str = ""
    error_code: str = ""
    changed_at: datetime | None = None
