"""What a run of a college writes down of itself: what it read, and whether it was complete."""

from __future__ import annotations

from datetime import datetime

from rosterflow.store import institutions, runs
from rosterflow.store.engine import Store
from rosterflow.store.runs import Run, RunState
from rosterflow.sync.collecting import Collected


def note_collected(store: Store, run: Run, found: Collected) -> None:
    """Write down what a run read and queued."""
    with store.begin() as connection:
        runs.add_counts(
            connection,
            run.id,
            read=found.read.total(),
            changed=found.changed.total(),
            gone=found.gone.total(),
            queued={str(state): n for state, n in found.queued.items()},
            gaps=len(found.gaps),
            problems=len(found.problems),
        )


def close_run(store: Store, run: Run, now: datetime) -> None:
    """Write down that a run has read and guarded; without a gap it was complete, and nobody is told of silence."""
    with store.begin() as connection:
        complete = runs.get_run(connection, run.id).counts.get("gaps") == 0
        runs.note(connection, run.id, state=RunState.DONE, ended_at=now, complete=complete)
        if complete:
            institutions.mark(connection, run.institution, complete_at=now, silence_mailed_at=None)
