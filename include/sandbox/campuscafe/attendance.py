"""Campus Cafe's attendance module: rows and last dates that an interface may write, and what it refuses, row by row.

Source: docs/coursekey-contract.md, Campus Cafe's attendance module; reference/coursekey.md §2.6. Where they are silent:
a section without meetings is in session on each of its days; a student who dropped is registered until that day, one on
the wait-list is not.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from sandbox.college.records import SECTION_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.college.records import College, Record

    Write = Callable[[College, dict[str, Any]], bool]

MOST_ROWS = 500
OURS = "coursekey"
"""The origin of rows that came through the interface."""

MESSAGES = {
    "invalid": "The row is not of the right form.",
    "unknown_section": "There is no such section.",
    "unknown_student": "There is no such person.",
    "not_registered": "The student is not registered for the section on that day.",
    "not_in_session": "Course Not in Session",
    "made_by_hand": "A person made the row of that day.",
    "manual_last_date": "The last date attended was set by hand.",
}


class RowRefused(Exception):
    """A row that is not written; the code says why."""

    def __init__(self, code: str) -> None:
        super().__init__(MESSAGES[code])
        self.code = code


def results(college: College, rows: list[Any], write: Write) -> list[dict[str, Any]]:
    """Write rows one by one; what became of each."""
    answers: list[dict[str, Any]] = []
    with college.lock:
        for index, row in enumerate(rows):
            try:
                if not isinstance(row, dict):
                    raise RowRefused("invalid")
                answers.append({"index": index, "status": "written" if write(college, row) else "unchanged"})
            except RowRefused as refused:
                message = {"code": refused.code, "message": str(refused)}
                answers.append({"index": index, "status": "refused", **message})
    return answers


def write_time(college: College, row: dict[str, Any]) -> bool:
    """Set a student's time in a section on a day; False when it is so already. Raises RowRefused."""
    _check_fields(row, {"date", "hours", "minutes"})
    day = _day(row["date"])
    hours, minutes = row["hours"], row["minutes"]
    if not _is_whole(hours) or not _is_whole(minutes) or minutes > 59:
        raise RowRefused("invalid")
    section, key = _registered(college, row, day)
    if not _is_in_session(section, day):
        raise RowRefused("not_in_session")
    details = college.get("enrollment-details", *key)
    if (
        details
        and details["isManual"]
        and details["lastDateAttended"]
        and day.isoformat() > details["lastDateAttended"]
    ):
        raise RowRefused("manual_last_date")
    former = college.get("attendance", *key, row["date"])
    if former and former["origin"] != OURS:
        raise RowRefused("made_by_hand")
    if former and (former["hours"], former["minutes"]) == (hours, minutes):
        return False
    college.put("attendance", {**row, "origin": OURS})
    return True


def write_last_date(college: College, row: dict[str, Any]) -> bool:
    """Set or clear a student's last date attended in a section; False when it is so already. Raises RowRefused."""
    _check_fields(row, {"lastDateAttended"})
    if row["lastDateAttended"] is not None:
        _day(row["lastDateAttended"])
    _, key = _registered(college, row, None)
    former = college.get("enrollment-details", *key)
    if former and former["isManual"]:
        raise RowRefused("manual_last_date")
    if (former["lastDateAttended"] if former else None) == row["lastDateAttended"]:
        return False
    college.put("enrollment-details", row)
    return True


def _check_fields(row: dict[str, Any], more: set[str]) -> None:
    key = {*SECTION_KEY, "personId"}
    if row.keys() != key | more or not all(isinstance(row[name], str) for name in key):
        raise RowRefused("invalid")


def _day(text: Any) -> date:
    try:
        day = date.fromisoformat(text)
    except (ValueError, TypeError) as error:
        raise RowRefused("invalid") from error
    if day.isoformat() != text:
        raise RowRefused("invalid")
    return day


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _registered(college: College, row: dict[str, Any], day: date | None) -> tuple[Record, tuple[str, ...]]:
    """The section of a row and the name of its registration, which must be good on a day (None: on any)."""
    section_key = tuple(row[name] for name in SECTION_KEY)
    key = (*section_key, row["personId"])
    section = college.get("sections", *section_key)
    if section is None:
        raise RowRefused("unknown_section")
    if college.get("persons", row["personId"]) is None:
        raise RowRefused("unknown_student")
    registration = college.get("registrations", *key)
    if registration is None or registration["status"] == "waitlisted":
        raise RowRefused("not_registered")
    dropped = registration["droppedOn"] if registration["status"] == "dropped" else None
    if day and dropped and day.isoformat() > dropped:
        raise RowRefused("not_registered")
    return section, key


def _is_in_session(section: Record, day: date) -> bool:
    if not section["meetings"]:
        return bool(section["beginDate"]) and section["beginDate"] <= day.isoformat() <= section["endDate"]
    return any(row["date"] == day.isoformat() and not row["isCancelled"] for row in section["meetings"])
