"""Taking back what an import did to states (reference/canvas.md §8): names, dates, moves and ids stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sandbox.canvas import background, people
from sandbox.canvas.objects import (
    Account,
    AccountUser,
    CommunicationChannel,
    Course,
    Enrollment,
    EnrollmentState,
    Pseudonym,
    Section,
    State,
    Term,
    Write,
)
from sandbox.canvas.sis.batch import BatchState, SisError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.canvas.objects import Progress, Record
    from sandbox.canvas.sis.batch import SisBatch
    from sandbox.canvas.state import Canvas
    from sandbox.canvas.table import Table

KEPT = timedelta(days=30)
CHUNK = 1000

_ENDED = (State.DELETED, State.RETIRED)
_RESTORE = Write(override=True)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which changes of state to take back; the sandbox has no batch mode, so `batch_mode` leaves nothing."""

    batch_mode: bool = False
    undelete_only: bool = False
    unconclude_only: bool = False

    @property
    def is_partial(self) -> bool:
        """Whether some of what the import did may stay."""
        return self.batch_mode or self.undelete_only or self.unconclude_only

    def covers(self, state: str) -> bool:
        """Whether a record that the import left in that state is to be taken back."""
        if self.batch_mode:
            return False
        if self.undelete_only:
            return state in _ENDED
        return not self.unconclude_only or state == EnrollmentState.COMPLETED


def restore(canvas: Canvas, batch: SisBatch, wanted: Wanted, user_id: int) -> Progress:
    """Begin to restore an import that has ended; the Progress says how far it is. Hold `canvas.lock`."""
    batch.workflow_state, batch.updated_at = BatchState.RESTORING, canvas.now()
    restoring = _Restoring(canvas, batch, wanted)
    found = restoring.former_states()
    chunks = [found[start : start + CHUNK] for start in range(0, len(found), CHUNK)]
    steps: list[Callable[[], None]] = [*(partial(restoring.take_back, chunk) for chunk in chunks), restoring.finish]
    return background.start_with_progress(
        canvas, "sis_batch_state_restore", batch.id, user_id, steps, context_type="SisBatch"
    )


@dataclass(slots=True)
class _Restoring:
    """One import being restored."""

    canvas: Canvas
    batch: SisBatch
    wanted: Wanted
    is_whole: bool = True

    def former_states(self) -> list[tuple[Record, str]]:
        """The records the import touched, each with its state before, kind by kind in Canvas's order."""
        if self.batch.ended_at is None or self.canvas.now() - self.batch.ended_at > KEPT:
            return []
        before: dict[Record, str] = {}
        after: dict[Record, str] = {}
        for change in self.batch.transitions:
            gone = State.RETIRED if isinstance(change.record, CommunicationChannel) else State.DELETED
            before.setdefault(change.record, change.before or gone)
            after[change.record] = change.after
        order = list(self._tables())
        found = [(record, state) for record, state in before.items() if self.wanted.covers(after[record])]
        return sorted(found, key=lambda pair: order.index(type(pair[0])))

    def take_back(self, chunk: list[tuple[Record, str]]) -> None:
        """Give each record its former state; one that cannot have it is told in a message of the import."""
        tables = self._tables()
        for record, state in chunk:
            if isinstance(record, Pseudonym) and self._is_claimed(record, state):
                self.is_whole = False
                text = f"Couldn't rollback SIS batch data for row - Pseudonym {record.id}"
                self.batch.errors.append(SisError(next(self.canvas.sis_error_ids), self.batch.id, "", text))
            elif isinstance(record, Enrollment):
                self.canvas.set_enrollment_state(record, EnrollmentState(state), _RESTORE)
            else:
                tables[type(record)].change(record, {"workflow_state": state}, _RESTORE)

    def finish(self) -> None:
        """Bring the import to its end."""
        whole = self.is_whole and not self.wanted.is_partial
        self.batch.workflow_state = BatchState.RESTORED if whole else BatchState.PARTIALLY_RESTORED
        self.batch.updated_at = self.canvas.now()

    def _is_claimed(self, login: Pseudonym, state: str) -> bool:
        """Whether the login cannot live again because another one has its login_id."""
        return state != State.DELETED and people.login_named(self.canvas, login.unique_id) not in (None, login)

    def _tables(self) -> dict[type[Record], Table[Any]]:
        canvas = self.canvas
        return {
            Account: canvas.accounts,
            Term: canvas.terms,
            Course: canvas.courses,
            Section: canvas.sections,
            Pseudonym: canvas.pseudonyms,
            CommunicationChannel: canvas.channels,
            Enrollment: canvas.enrollments,
            AccountUser: canvas.admins,
        }
