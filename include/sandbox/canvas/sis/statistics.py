"""What an import did to states: `data.statistics` of a SisImport (reference/canvas.md §2.5)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sandbox.canvas.objects import (
    Account,
    AccountUser,
    CommunicationChannel,
    Course,
    Enrollment,
    Pseudonym,
    Section,
    Term,
)

if TYPE_CHECKING:
    from sandbox.canvas.objects import Record

_NAMES: dict[type[Record], str] = {
    Account: "Account",
    Term: "EnrollmentTerm",
    Course: "Course",
    Section: "CourseSection",
    Pseudonym: "Pseudonym",
    CommunicationChannel: "CommunicationChannel",
    Enrollment: "Enrollment",
    AccountUser: "AccountUser",
}

_EVENTS: dict[str, tuple[str, ...]] = {
    "Account": ("created", "restored", "deleted"),
    "EnrollmentTerm": ("created", "restored", "deleted"),
    "AbstractCourse": ("created", "restored", "deleted"),
    "Course": ("created", "restored", "deleted", "concluded"),
    "CourseSection": ("created", "restored", "deleted"),
    "GroupCategory": ("created", "restored", "deleted"),
    "Group": ("created", "restored", "deleted"),
    "Pseudonym": ("created", "restored", "deleted"),
    "CommunicationChannel": ("created", "restored", "deleted"),
    "Enrollment": ("created", "restored", "deleted", "concluded", "deactivated"),
    "GroupMembership": ("created", "restored", "deleted"),
    "UserObserver": ("created", "restored", "deleted"),
    "AccountUser": ("created", "restored", "deleted"),
}

_AFTER = {"deleted": "deleted", "retired": "deleted", "completed": "concluded", "inactive": "deactivated"}
_RESTORABLE = {
    "Course": ("deleted", "completed"),
    "CommunicationChannel": ("retired", "unconfirmed"),
    "Enrollment": ("deleted", "inactive", "completed", "rejected"),
}
_LIVELY = ("active", "claimed", "created", "available")


class Statistics:
    """Counts changes of state, as a `Write` sees them."""

    def __init__(self) -> None:
        self._total = 0
        self._events: Counter[tuple[str, str]] = Counter()

    def note(self, record: Record, before: str | None, after: str) -> bool:
        """Count one change of state; False for a kind that Canvas keeps no statistics of."""
        name = _NAMES.get(type(record))
        if name is None:
            return False
        self._total += 1
        event = _event(name, before, after)
        if event is not None:
            self._events[name, event] += 1
        return True

    def payload(self) -> dict[str, int | dict[str, int]]:
        """`total_state_changes` and a zero-filled entry for every type."""
        by_type = {name: {event: self._events[name, event] for event in events} for name, events in _EVENTS.items()}
        return {"total_state_changes": self._total, **by_type}


def _event(name: str, before: str | None, after: str) -> str | None:
    if after in _AFTER:
        event = _AFTER[after]
        return event if event in _EVENTS[name] else None
    if after not in _LIVELY:
        return None
    if before in (None, "creation_pending"):
        return "created"
    return "restored" if before in _RESTORABLE.get(name, ("deleted",)) else None
