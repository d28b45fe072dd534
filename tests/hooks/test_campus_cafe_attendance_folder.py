"""Campus Cafe's attendance module as files: what comes in, what goes out, and what is said of it later."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from rosterflow.domain.attendance.booking import Origin, RowKey, Time
from rosterflow.domain.attendance.module import (
    AttendanceResource,
    ExceptionDay,
    KeptTime,
    LastDate,
    RowResult,
    Rows,
    Wrote,
)
from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.errors import Code, RetryableError
from rosterflow.hooks.campus_cafe_attendance_folder import CampusCafeAttendanceFolder

SECTION = SectionKey("202610", "MTH101", "4")
MONDAY, TUESDAY, SUNDAY = date(2026, 9, 7), date(2026, 9, 8), date(2026, 9, 13)
FILES = {
    "attendance.csv": (
        "semester,courseNumber,section,personId,date,hours,minutes,origin,modifiedAt\n"
        "202610,MTH101,4,2001,2026-09-07,1,30,coursekey,\n"
        "202610,MTH101,4,2001,2026-09-14,2,0,manual,\n"
    ),
    "enrollment_details.csv": (
        "semester,courseNumber,section,personId,lastDateAttended,isManual,modifiedAt\n"
        "202610,MTH101,4,2001,2026-09-07,false,\n"
        "202620,MTH101,4,2001,,true,\n"
    ),
    "attendance_exceptions.csv": (
        "semester,courseNumber,section,date,addsToAccumulatedTime\n"
        "202610,MTH101,4,2026-09-07,true\n202610,MTH101,4,2026-11-26,false\n"
    ),
}
ROWS = [
    (RowKey(SECTION, "2001", MONDAY), Time(1, Decimal("30.5"))),
    (RowKey(SECTION, "2002", MONDAY), Time(8, Decimal(0))),
]
GIVEN = (RowResult(Wrote.HANDED_OVER),) * 2
TOLD = "file,index,status,code,message\n"


@pytest.fixture
def folder(tmp_path: Path) -> CampusCafeAttendanceFolder:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    manifest = {"written_at": "2026-09-13T03:00:00Z", "rows": dict.fromkeys(FILES, 2)}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return CampusCafeAttendanceFolder(tmp_path)


def told(tmp_path: Path, *lines: str) -> None:
    text = TOLD + "".join(f"{line}\n" for line in lines)
    (tmp_path / "results-17-001.csv").write_text(text, encoding="utf-8")


def test_rows_last_dates_and_exceptions_come_in_as_files(folder: CampusCafeAttendanceFolder) -> None:
    assert folder.times(MONDAY, SUNDAY) == Rows((KeptTime(*SECTION, "2001", MONDAY, 1, Decimal(30), Origin.OURS),))
    assert folder.last_dates(["202610"]) == Rows((LastDate(*SECTION, "2001", MONDAY),))
    assert [one.is_manual for one in folder.last_dates([]).rows] == [False, True]
    assert folder.exceptions(MONDAY, SUNDAY) == Rows((ExceptionDay(*SECTION, MONDAY, adds_time=True),))


def test_a_file_with_fewer_rows_than_the_manifest_says_is_not_whole(
    folder: CampusCafeAttendanceFolder, tmp_path: Path
) -> None:
    cut = FILES["attendance.csv"].splitlines(keepends=True)[:2]
    (tmp_path / "attendance.csv").write_text("".join(cut), encoding="utf-8")
    assert not folder.times(MONDAY, SUNDAY).is_whole


def test_a_file_that_is_not_there_may_come_later(tmp_path: Path) -> None:
    with pytest.raises(RetryableError) as caught:
        CampusCafeAttendanceFolder(tmp_path).times(MONDAY, SUNDAY)
    assert caught.value.code is Code.ROWS_MISSING


def test_rows_that_are_written_go_out_as_a_file_and_are_only_handed_over(
    folder: CampusCafeAttendanceFolder, tmp_path: Path
) -> None:
    assert folder.write_times(ROWS, "17-001") == GIVEN
    assert folder.write_last_dates([(SECTION, "2001", TUESDAY), (SECTION, "2002", None)], "17-002") == GIVEN
    assert {path.name: path.read_text(encoding="utf-8").splitlines() for path in (tmp_path / "out").iterdir()} == {
        "attendance-17-001.csv": [
            "semester,courseNumber,section,personId,date,hours,minutes",
            "202610,MTH101,4,2001,2026-09-07,1,30.5",
            "202610,MTH101,4,2002,2026-09-07,8,0",
        ],
        "last-dates-17-002.csv": [
            "semester,courseNumber,section,personId,lastDateAttended",
            "202610,MTH101,4,2001,2026-09-08",
            "202610,MTH101,4,2002,",
        ],
    }


def test_a_batch_that_is_written_again_takes_its_own_place(folder: CampusCafeAttendanceFolder, tmp_path: Path) -> None:
    folder.write_times(ROWS, "17-001")
    folder.write_times(ROWS[:1], "17-001")
    (path,) = (tmp_path / "out").iterdir()
    assert len(path.read_text(encoding="utf-8").splitlines()) == 2


def test_what_came_of_a_batch_is_told_in_a_file(folder: CampusCafeAttendanceFolder, tmp_path: Path) -> None:
    folder.write_times(ROWS, "17-001")
    told(
        tmp_path,
        "attendance-17-001.csv,1,refused,unknown_student,No such person",
        "attendance-17-001.csv,0,written,,",
        "last-dates-17-001.csv,0,written,,",
    )
    assert folder.results(AttendanceResource.TIMES, "17-001") == (
        RowResult(Wrote.WRITTEN),
        RowResult(Wrote.REFUSED, "unknown_student", "No such person"),
    )


def test_until_there_is_an_answer_nothing_is_known(folder: CampusCafeAttendanceFolder) -> None:
    folder.write_times(ROWS, "17-001")

    assert folder.results(AttendanceResource.TIMES, "17-001") is None


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ((), "0 results came for 2 rows"),
        (("attendance-17-001.csv,0,written,,",), "1 results came for 2 rows"),
        (("attendance-17-001.csv,0,written,,",) * 2, "2 results came for 2 rows"),
        (
            (
                "attendance-17-001.csv,0,written,,",
                "attendance-17-001.csv,1,written,,",
                "attendance-17-001.csv,2,written,,",
            ),
            "3 results came for 2 rows",
        ),
        (
            ("attendance-17-001.csv,0,written,,", "attendance-17-001.csv,1,maybe,,"),
            "a result says neither of which row it is nor what became of it",
        ),
        (("attendance-17-001.csv,0,written,,", "attendance-17-002.csv,1,written,,"), "1 results came for 2 rows"),
        (("attendance-17-001.csv,0,written,,", "attendance-17-001.csv,1"), "1 results came for 2 rows"),
    ],
)
def test_an_answer_that_is_not_one_for_each_row_is_told_and_not_used(
    folder: CampusCafeAttendanceFolder, tmp_path: Path, lines: tuple[str, ...], why: str
) -> None:
    folder.write_times(ROWS, "17-001")
    told(tmp_path, *lines)

    with pytest.raises(RetryableError) as caught:
        folder.results(AttendanceResource.TIMES, "17-001")

    assert caught.value.code is Code.BAD_RESPONSE
    assert caught.value.message == f"Campus Cafe's results-17-001.csv cannot be used: {why}."


def test_an_answer_to_a_batch_that_is_gone_is_told(folder: CampusCafeAttendanceFolder, tmp_path: Path) -> None:
    folder.write_times(ROWS, "17-001")
    (tmp_path / "out" / "attendance-17-001.csv").unlink()
    told(tmp_path, "attendance-17-001.csv,0,written,,", "attendance-17-001.csv,1,written,,")

    with pytest.raises(RetryableError) as caught:
        folder.results(AttendanceResource.TIMES, "17-001")

    assert caught.value.code is Code.ROWS_MISSING
