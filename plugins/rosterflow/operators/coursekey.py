"""The tasks of a college: collecting what changed, guarding removals, draining the queue into CourseKey, telling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from airflow.sdk import Context

from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.port import CampusCafe
from rosterflow.domain.errors import FatalError, RetryableError, RosterflowError
from rosterflow.hooks.campus_cafe import CampusCafeHook
from rosterflow.hooks.campus_cafe_folder import CampusCafeFolder
from rosterflow.hooks.coursekey import CourseKeyHook
from rosterflow.hooks.maintenance_password import with_maintenance_password
from rosterflow.notifications.mail import send
from rosterflow.operators.college import CollegeOperator
from rosterflow.operators.institution import now
from rosterflow.sync.collecting import collect
from rosterflow.sync.college_runs import close_run, note_collected
from rosterflow.sync.coursekey_letter import tell
from rosterflow.sync.drain_state import Work
from rosterflow.sync.draining import drain
from rosterflow.sync.removing import guard_removals

PROBLEMS_LOGGED = 100


@contextmanager
def campus_cafe(college: College) -> Iterator[CampusCafe]:
    """A college's Campus Cafe: over HTTP, or the folder its files are written to."""
    said = college.campus_cafe
    if said.folder is not None:
        yield CampusCafeFolder(Path(said.folder))
    else:
        with CampusCafeHook(said.connection or "", page_size=said.page_size) as hook:
            yield hook


class CollectCampusOperator(CollegeOperator):
    """Reads what changed in Campus Cafe, once a day everything, and queues what it means. Returns counts."""

    def execute(self, context: Context) -> dict[str, int]:
        """Collect.

        :raises RosterflowError: when Campus Cafe cannot be read; what was read before is kept.
        """
        run = self.open_run(context)
        with campus_cafe(self.settings) as source:
            found = collect(self.store, self.settings, source, now())
        note_collected(self.store, run, found)
        for line in (*found.gaps, *found.problems)[:PROBLEMS_LOGGED]:
            self.log.warning("%s", line)
        return {str(state): n for state, n in found.queued.items()}


class GuardRemovalsOperator(CollegeOperator):
    """Queues the drops and removals of staff that are due, and holds those that are too many at once."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Guard; returns the counts, and as ``ask`` the requests that wait for a person."""
        run = self.run_of(context)
        guarded = guard_removals(self.store, self.settings, run, now())
        close_run(self.store, run, now())
        self.log.info("%d removals queued, %d held", guarded.allowed, guarded.held)
        return {"allowed": guarded.allowed, "held": guarded.held, "ask": list(guarded.ask)}


class DrainOperator(CollegeOperator):
    """Sends the queue's entries to CourseKey, batch by batch. Returns what became of them.

    An entry that fails does not fail the task: it is in the mail. An auth key that cannot be used does, in the end.
    """

    def execute(self, context: Context) -> dict[str, int]:
        """Drain.

        :raises RosterflowError: ``unauthorized``, ``forbidden`` … when an auth key could not be used.
        """
        with campus_cafe(self.settings) as source:
            work = Work(
                self.store,
                self.settings,
                lambda connection: CourseKeyHook(connection, base_url=self.settings.coursekey.base_url),
                with_maintenance_password(self.settings, source.initial_password),
                self._holder(context),
                now,
            )
            drained = drain(work, **self._how_much(context))
        for number, batch in enumerate(drained.batches, 1):
            self.log.info("Batch %d: %s", number, ", ".join(f"{n} {state}" for state, n in sorted(batch.items())))
        self.log.info("%d calls to CourseKey", drained.calls)
        if drained.unusable:
            raise _unusable(drained.unusable)
        return {str(state): n for state, n in drained.states.items()}

    def _holder(self, context: Context) -> str:
        """Another name at each try: what a killed try had leased is not this one's."""
        ti = context["ti"]
        return f"{ti.dag_id} {ti.run_id} try {ti.try_number}"

    def _how_much(self, context: Context) -> dict[str, int | None]:
        params = context["params"]
        return {"batch": params.get("batch"), "max_batches": params.get("max_batches")}


def _unusable(keys: Mapping[str, RosterflowError]) -> RosterflowError:
    """One error about every auth key that could not be used; it may pass when each of them may."""
    told = " ".join(f"Auth key {alias}: {error.message}" for alias, error in keys.items())
    errors = sorted(keys.values(), key=lambda error: isinstance(error, RetryableError))
    kind = RetryableError if isinstance(errors[0], RetryableError) else FatalError
    return kind(errors[0].code, f"{told} The entries stay pending.")


class TellFailuresOperator(CollegeOperator):
    """Mails COURSEKEY_EMAIL when entries failed, or when none is failed any more. Returns how many it told of."""

    def execute(self, context: Context) -> int:
        """Tell.

        :raises RosterflowError: ``mail-failed``.
        """
        return tell(self.store, self.settings, send, now())
