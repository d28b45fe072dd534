"""One SIS import (Canvas calls it a batch) and its row errors, reference/canvas.md §2.5 and §2.6."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.canvas.objects import Record


class BatchState(StrEnum):
    """The states an import can be in here."""

    INITIALIZING = "initializing"
    CREATED = "created"
    IMPORTING = "importing"
    IMPORTED = "imported"
    IMPORTED_WITH_MESSAGES = "imported_with_messages"
    FAILED = "failed"
    FAILED_WITH_MESSAGES = "failed_with_messages"
    ABORTED = "aborted"
    RESTORING = "restoring"
    RESTORED = "restored"
    PARTIALLY_RESTORED = "partially_restored"


class Transition(NamedTuple):
    """A change of state an import made, cascades included; `before` is None for a record that it created."""

    record: Record
    before: str | None
    after: str


@dataclass(frozen=True, slots=True)
class SisError:
    """A message of an import. `row` counts the header as 1; it is None when the message is about a whole file."""

    id: int
    sis_import_id: int
    file: str
    message: str
    row: int | None = None
    row_info: str | None = None
    failure: bool = False


@dataclass(slots=True, eq=False, kw_only=True)
class SisBatch:
    """An import from its upload to its end."""

    id: int
    account_id: int
    user_id: int | None
    created_at: datetime
    updated_at: datetime
    filename: str
    body: bytes
    workflow_state: BatchState = BatchState.CREATED
    started_at: datetime | None = None
    ended_at: datetime | None = None
    progress: int = 0
    data: dict[str, Any] = field(default_factory=dict)
    override_sis_stickiness: bool | None = None
    add_sis_stickiness: bool | None = None
    clear_sis_stickiness: bool | None = None
    update_sis_id_if_login_claimed: bool = False
    skip_deletes: bool = False
    errors: list[SisError] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    errors_attachment_id: int | None = None
    upload_key: str | None = None

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.workflow_state not in _UNFINISHED

    def end(self, state: BatchState, now: datetime) -> None:
        """Bring it to its end; progress is 100 only if it did everything or never began (§2.6)."""
        never_began = self.workflow_state in (BatchState.INITIALIZING, BatchState.CREATED)
        if never_began or state in (BatchState.IMPORTED, BatchState.IMPORTED_WITH_MESSAGES):
            self.progress = 100
        self.workflow_state = state
        self.ended_at = self.updated_at = now
        self.body = b""


_UNFINISHED = (BatchState.INITIALIZING, BatchState.CREATED, BatchState.IMPORTING)
