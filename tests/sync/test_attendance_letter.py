"""The mail about an import of time attended, written from plain values."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rosterflow.domain.attendance.ledger import Effect
from rosterflow.domain.attendance.module import Wrote
from rosterflow.domain.attendance.records import Listed
from rosterflow.domain.attendance.report import (
    AttendanceReport,
    Count,
    Outcome,
    SchoolReport,
    Unseen,
    scheduled_days,
)
from rosterflow.domain.coursekey.campus import Meeting, Section
from rosterflow.sync.attendance_letter import BAR, COLUMNS, letter_of
from tests.scenarios.drain_ground import college

HOME = college("http://localhost:8900")
SUNDAY, MONDAY = date(2026, 3, 8), date(2026, 3, 9)
GOOD = SchoolReport(
    alias="1-1", school="548156", first=SUNDAY, last=MONDAY, is_whole=True, records=3, unchanged=1,
    effects={Effect.NEW: 1, Effect.RAISED: 1}, booked={MONDAY: 7230}, scheduled=(MONDAY,),
)  # fmt: skip
QUIET = AttendanceReport(
    run=17, first=SUNDAY, last=MONDAY, schools=(GOOD,), rows={Wrote.WRITTEN: 2},
    started_at=datetime(2026, 3, 10, 9, 30, tzinfo=UTC), ended_at=datetime(2026, 3, 10, 9, 32, tzinfo=UTC),
)  # fmt: skip
ONE_WARNING = "1 warning, attendance of {} imported with 2 changes"
PREFIX = "[Rosterflow] Sandbox College: "


def report(school: dict[str, Any] | None = None, **changes: Any) -> AttendanceReport:
    if school is not None:
        changes["schools"] = (msgspec.structs.replace(GOOD, **school),)
    return msgspec.structs.replace(QUIET, **changes)


def rows_of(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))


def test_a_run_without_anything_to_look_at_is_a_success_and_has_no_list() -> None:
    letter = letter_of(HOME, QUIET)

    assert letter.to == ("registrar@college.example", "lms@college.example")
    assert letter.subject == f"{PREFIX}success, attendance of 2026-03-08 to 2026-03-09 imported with 2 changes"
    assert letter.attachments == ()
    assert letter.plain == (Path(__file__).parent / "golden" / "attendance.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("school", "changes", "outcome", "subject"),
    [
        ({"effects": {}}, {}, Outcome.SUCCESS, "success, attendance of {} imported with no change"),
        ({"effects": {Effect.NEW: 1}}, {}, Outcome.SUCCESS, "success, attendance of {} imported with 1 change"),
        (
            {"records": 0, "effects": {}, "booked": {}}, {}, Outcome.WARNINGS,
            "1 warning, attendance of {} imported with no change, the export is empty although classes were scheduled",
        ),
        (
            {"records": 0, "effects": {}, "booked": {}, "scheduled": ()}, {}, Outcome.SUCCESS,
            "success, attendance of {} imported with no change",
        ),
        ({"gaps": ("page 2 could not be read",)}, {}, Outcome.WARNINGS, ONE_WARNING),
        ({"remarks": {"spans-midnight": 1}}, {}, Outcome.WARNINGS, ONE_WARNING),
        ({"skipped": {"negative": Count(2)}}, {}, Outcome.WARNINGS, ONE_WARNING),
        (
            {"skipped": {"duplicate": Count(2), "in-progress": Count(1, 60)}}, {}, Outcome.SUCCESS,
            "success, attendance of {} imported with 2 changes",
        ),
        (
            {"held": 9, "approval": 4}, {"refused": {"not_in_session": 1}, "notes": ("no import was whole",)},
            Outcome.WARNINGS, "3 warnings, attendance of {} imported with 2 changes",
        ),
        ({}, {"failed": ("1-3: refused",)}, Outcome.FAILURE, "FAILURE, attendance of {} was not imported as a whole"),
        ({"error": "cut"}, {}, Outcome.FAILURE, "FAILURE, attendance of {} was not imported as a whole"),
        (
            {"error": "cut", "records": 0}, {}, Outcome.FAILURE,
            "FAILURE, attendance of {} was not imported as a whole",
        ),
    ],
)  # fmt: skip
def test_the_subject_line_tells_success_warnings_or_failure(
    school: dict[str, Any], changes: dict[str, Any], outcome: Outcome, subject: str
) -> None:
    told = report(school, **changes)

    assert told.outcome is outcome
    assert letter_of(HOME, told).subject == PREFIX + subject.format("2026-03-08 to 2026-03-09")


def test_a_run_of_one_day_says_that_day() -> None:
    letter = letter_of(HOME, report({"first": MONDAY}, first=MONDAY))

    assert letter.subject == f"{PREFIX}success, attendance of 2026-03-09 imported with 2 changes"


def test_a_key_that_failed_is_named_by_its_alias_beside_the_schools_that_came() -> None:
    letter = letter_of(HOME, report(failed=("Auth key 1-3: CourseKey refused it (key-refused).",)))

    for text in (letter.plain, letter.html):
        assert "Auth key 1-3: CourseKey refused it (key-refused)." in text
        assert "Auth key 1-1, school 548156" in text


def test_each_day_of_the_window_has_a_bar_as_a_table_cell_in_proportion_to_its_time() -> None:
    days = {date(2026, 3, 9): 36_000, date(2026, 3, 10): 9_000, date(2026, 3, 11): 1}
    letter = letter_of(HOME, report({"last": date(2026, 3, 12), "booked": days, "scheduled": (date(2026, 3, 12),)}))

    widths = [line.split('"')[1] for line in letter.html.split("<td ") if line.startswith("width=")]
    assert widths == [str(BAR), str(BAR // 4), "1"]
    assert "<img" not in letter.html
    for day in ("Sun 2026-03-08", "Mon 2026-03-09", "Tue 2026-03-10", "Wed 2026-03-11", "Thu 2026-03-12"):
        assert day in letter.html
        assert day in letter.plain
    assert "Sun 2026-03-08  0 h 00 min" in letter.plain
    assert "Thu 2026-03-12  classes, and no time" in letter.plain


def test_errors_are_attached_by_their_keys_and_what_is_as_it_should_be_is_only_counted() -> None:
    lines = (
        Listed("unknown-student", "C7", "9001", MONDAY, "R1", 3600),
        Listed("in-progress", "C7", "2001", MONDAY, "R2", 60),
        Listed("not_in_session", "", "2002", MONDAY, "", 900, "202610/MTH101/4: Course Not in Session"),
        Listed("unknown-course", "=1+1", "2003", MONDAY, "R3", 5),
    )
    unseen = (Unseen("202610/MTH101/4", ("2005", "2006")),)

    letter = letter_of(HOME, report(lines=lines, unseen=unseen, not_written={"unknown-student": Count(1, 3600)}))

    [table] = letter.attachments
    assert (table.name, table.media_type) == ("attendance-college-2026-03-08-2026-03-09.csv", "text/csv")
    assert rows_of(table.data) == [
        list(COLUMNS),
        ["unknown-student", "C7", "9001", "2026-03-09", "R1", "3600", ""],
        ["not_in_session", "", "2002", "2026-03-09", "", "900", "202610/MTH101/4: Course Not in Session"],
        ["unknown-course", "'=1+1", "2003", "2026-03-09", "R3", "5", ""],
        ["not-seen", "202610/MTH101/4", "2005", "", "", "", ""],
        ["not-seen", "202610/MTH101/4", "2006", "", "", "", ""],
    ]
    for text in (letter.plain, letter.html):
        assert "not written, unknown-student: 1 (1 h 00 min)" in text
        assert "202610/MTH101/4: 2005, 2006" in text
        assert "2 students enrolled but not seen." in text
        assert "Every error with its keys is in the attached list." in text


def test_a_long_list_of_sections_and_of_students_is_cut_and_counted() -> None:
    persons = tuple(str(2000 + number) for number in range(30))
    unseen = tuple(Unseen(f"202610/MTH101/{number}", persons) for number in range(30))

    letter = letter_of(HOME, report(unseen=unseen))

    assert "… and 5 more sections." in letter.plain
    assert "202610/MTH101/24: 2000" in letter.plain
    assert "2024 and 5 more\n" in letter.plain
    assert "202610/MTH101/25" not in letter.plain
    assert len(rows_of(letter.attachments[0].data)) == 1 + 900


def test_what_a_page_says_is_shown_as_text_in_the_html() -> None:
    letter = letter_of(HOME, report({"gaps": ("<script>",), "problems": ("<b>",) * 26}))

    assert "<script>" not in letter.html
    assert "&lt;script&gt;" in letter.html
    assert letter.html.count("<li>&lt;b&gt;</li>") == 25
    assert "… and 1 more." in letter.html


def test_a_day_is_scheduled_when_a_section_that_is_integrated_meets_on_it() -> None:
    meets = Section("202610", "A", "1", "A", "MAIN", SUNDAY, date(2026, 3, 20), weekdays=("Monday", "Wednesday"))
    eight = time(8)
    dated = msgspec.structs.replace(
        meets,
        meetings=(
            Meeting(date(2026, 3, 12), eight, eight),
            Meeting(date(2026, 3, 13), eight, eight, is_cancelled=True),
        ),
    )
    others = (
        msgspec.structs.replace(meets, is_cancelled=True),
        msgspec.structs.replace(meets, is_excluded=True),
        msgspec.structs.replace(meets, last=None),
    )

    assert scheduled_days([meets], SUNDAY, date(2026, 3, 14)) == (MONDAY, date(2026, 3, 11))
    assert scheduled_days([dated], SUNDAY, date(2026, 3, 14)) == (date(2026, 3, 12),)
    assert scheduled_days(others, SUNDAY, date(2026, 3, 14)) == ()
