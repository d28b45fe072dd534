"""The attendance chapter of the end-to-end tests: a night, the form, and days backfilled forward and backward."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from demo.airflow_api import Json
from rosterflow.store.engine import Store
from rosterflow.store.runs import find_run
from tests.e2e.ground import SECONDS, Ground, Seen
from tests.scenarios.attendance_books import Books, books, forget
from tests.scenarios.drain_ground import TOKEN

ATTENDANCE = "coursekey_attendance__college"
STRANGER = "990001"
"""Campus Cafe ID of somebody whom it does not know."""
ZONE = ZoneInfo("US/Eastern")
DAY = timedelta(days=1)
DAYS = 3
"""So many are backfilled."""
Days = tuple[date, date]


@dataclass(frozen=True)
class Imported:
    """A run with the days it read and the mail about it."""

    run: Seen
    days: Days
    mail: Json
    counts: Json


@dataclass(frozen=True)
class Backfilled:
    """Days that were backfilled into empty books.

    :param runs: state and days of each run, in the order in which they began.
    :param most: so many runs were at work at the same moment.
    :param held: what Campus Cafe holds afterwards.
    """

    runs: list[tuple[str, Days]]
    most: int
    books: Books
    held: Counter[str]


@dataclass(frozen=True)
class Attendance:
    """What became of the time attended.

    :param days: the days that were asked for, by the form and of both backfills.
    :param recomputed: exit code of building the ledger again from what was kept of the export, to compare.
    """

    days: list[date]
    night: Imported
    form: Imported
    forward: Backfilled
    backward: Backfilled
    recomputed: int


def attendance(ground: Ground) -> Attendance:
    last = datetime.now(ZONE).date() - 3 * DAY
    days = [last - number * DAY for number in reversed(range(DAYS))]
    ground.control("coursekey/attend", {"from": str(last - 7 * DAY), "to": str(last + DAY)})
    _stranger(ground, last)
    ground.wait_for_dag(ATTENDANCE)
    ground.client.unpause(ATTENDANCE)
    begun = ground.wait(lambda: next(iter(ground.client.runs(ATTENDANCE)), None), "the nightly run")
    night = _imported(ground, begun["dag_run_id"])
    asked = {"from_date": str(days[1]), "to_date": str(days[2])}
    form = _imported(ground, ground.stack.airflow.client_for("registrar").trigger(ATTENDANCE, asked))
    forward = forward_by_cli(ground, days)
    backward = backward_by_api(ground, days)
    command = [sys.executable, "-m", "rosterflow", "attendance", "recompute", "--check", "--institution", "college"]
    again = subprocess.run(command, env=ground.stack.airflow.environment, capture_output=True, check=False)
    return Attendance(days, night, form, forward, backward, again.returncode)


def forward_by_cli(ground: Ground, days: list[date], at_once: int = 1) -> Backfilled:
    """Backfill days into empty books, as somebody does at the command line."""
    _anew(ground)
    # A date alone is midnight in UTC, and the interval of the last day begins later.
    span = ["--from-date", f"{days[0]}", "--to-date", f"{days[-1]}T23:59:59"]
    how = ["--reprocess-behavior", "completed", "--max-active-runs", str(at_once)]
    command = [sys.executable, "-m", "airflow", "backfill", "create", "--dag-id", ATTENDANCE, *span, *how]
    subprocess.run(command, env=ground.stack.airflow.environment, check=True, capture_output=True)
    (newest, *_) = ground.client.request("GET", "/backfills", params={"dag_id": ATTENDANCE, "order_by": "-id"})[
        "backfills"
    ]
    return _backfilled(ground, newest["id"])


def backward_by_api(ground: Ground, days: list[date], at_once: int = 2) -> Backfilled:
    """Backfill days into empty books, as the dialog of the UI does: the newest first."""
    _anew(ground)
    begin, end = (datetime.combine(on, at, UTC) for on, at in ((days[0], time()), (days[-1], time(23, 59, 59))))
    how = {"reprocess_behavior": "completed", "max_active_runs": at_once, "run_backwards": True}
    return _backfilled(ground, ground.client.create_backfill(ATTENDANCE, begin, end, **how))


def _backfilled(ground: Ground, number: int) -> Backfilled:
    def completed() -> Json | None:
        found = ground.client.request("GET", f"/backfills/{number}")
        return found if found["completed_at"] else None

    asked = ground.wait(completed, "the backfill", seconds=4 * SECONDS)
    begun = datetime.fromisoformat(asked["created_at"])
    runs = [
        run
        for run in ground.client.runs(ATTENDANCE)
        if run["run_type"] == "backfill" and datetime.fromisoformat(run["start_date"]) >= begun
    ]
    runs.sort(key=lambda run: str(run["start_date"]))
    with _store(ground) as store:
        told = [(str(run["state"]), _days(store, run["dag_run_id"])) for run in runs]
        return Backfilled(told, _most_at_once(runs), books(store, "college"), Counter(map(str, _held(ground))))


def _most_at_once(runs: list[Json]) -> int:
    """How many of some runs were at work at the same moment, at most."""
    moments = [(run["start_date"], 1) for run in runs] + [(run["end_date"], -1) for run in runs]
    now = most = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most


def _imported(ground: Ground, run_id: str) -> Imported:
    run = ground.ended(ATTENDANCE, run_id)
    with _store(ground) as store:
        days, counts = _days(store, run_id), _counts(store, run_id)
    mail = next(mail for mail in ground.mails("registrar@college.example") if "attendance of" in mail["subject"])
    return Imported(run, days, mail, counts)


def _days(store: Store, run_id: str) -> Days:
    window = _counts(store, run_id)["attendance_window"]
    return date.fromisoformat(window["first"]), date.fromisoformat(window["last"])


def _counts(store: Store, run_id: str) -> Json:
    with store.begin() as connection:
        run = find_run(connection, ATTENDANCE, run_id)
    assert run is not None
    return dict(run.counts)


def _stranger(ground: Ground, day: date) -> None:
    """Have an hour of somebody in the export whom Campus Cafe does not know."""
    course = next(one for one in ground.get("/control/coursekey/state")["courses"] if one["enrollments"])
    record = {
        "schoolID": course["schoolID"],
        "course": course["name"],
        "email": course["enrollments"][0]["email"],
        "issuedID": STRANGER,
        "sessionDate": str(day),
        "sessionID": "stray",
        "timeAwarded": 3600,
        "timeAttended": 3600,
    }
    url = f"{ground.stack.sandbox_url}/control/coursekey/records"
    httpx.put(url, json=record, timeout=60, trust_env=False).raise_for_status()


def _anew(ground: Ground) -> None:
    """Forget what was booked, here and in Campus Cafe."""
    with _store(ground) as store:
        forget(store, "college")
    with httpx.Client(base_url=ground.stack.sandbox_url, timeout=60, trust_env=False) as sandbox:
        for row in _held(ground):
            resource = "attendance" if "origin" in row else "enrollment-details"
            body = {"resource": resource, "record": row}
            sandbox.request("DELETE", "/control/college/records", json=body).raise_for_status()


def _held(ground: Ground) -> list[dict[str, Any]]:
    """The rows of Campus Cafe's attendance module that people did not make, without when they were modified."""
    found: list[dict[str, Any]] = []
    for resource in ("attendance", "enrollment-details"):
        page, pages = 1, 1
        while page <= pages:
            url = f"{ground.stack.sandbox_url}/campuscafe/api/v1/{resource}?page={page}&pageSize=1000"
            answer = httpx.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60, trust_env=False)
            told = answer.raise_for_status().json()
            found += told["data"]
            page, pages = page + 1, told["pages"]
    ours = [row for row in found if row.get("origin", "coursekey") == "coursekey" and not row.get("isManual")]
    return [{name: row[name] for name in sorted(row) if name != "modifiedAt"} for row in ours]


@contextmanager
def _store(ground: Ground) -> Iterator[Store]:
    settings = ground.stack.airflow.environment
    store = Store(settings["ROSTERFLOW_DATABASE_URL"], settings["ROSTERFLOW_PAGE_KEYS"].split(","))
    try:
        yield store
    finally:
        store.dispose()
