"""Rows handed over as files: what becomes of them is what the college's job answers, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from rosterflow.domain.attendance.module import Wrote
from rosterflow.hooks.campus_cafe_attendance_folder import CampusCafeAttendanceFolder
from rosterflow.store import attendance_rows
from rosterflow.store.attendance_rows import Sent
from rosterflow.sync.attendance_writing import Written, write_attendance
from tests.domain.coursekey.builders import raw_college
from tests.installed import installed
from tests.sync.attendance_ground import DAY, MONDAY, NIGHT, Ground, exported, ground

HEADERS = {
    "attendance.csv": "semester,courseNumber,section,personId,date,hours,minutes,origin,modifiedAt\n",
    "enrollment_details.csv": "semester,courseNumber,section,personId,lastDateAttended,isManual,modifiedAt\n",
    "attendance_exceptions.csv": "semester,courseNumber,section,date,addsToAccumulatedTime\n",
}


class Office(NamedTuple):
    """A college whose Campus Cafe is a folder."""

    ground: Ground
    folder: Path

    def night(self, number: int) -> Written:
        """A night that writes Monday."""
        here, module = self.ground, CampusCafeAttendanceFolder(self.folder)
        at, run = NIGHT + number * DAY, here.run(f"night {number}")
        return write_attendance(here.store, here.college, run, module, (MONDAY, MONDAY), lambda: at)

    def out(self) -> list[str]:
        """The files of rows that went out, in order; not those of last dates."""
        return sorted(path.name for path in (self.folder / "out").glob("attendance-*.csv"))

    def answer(self, name: str, *lines: str) -> None:
        """Have the college's job answer a file."""
        text = "file,index,status,code,message\n" + "".join(f"{name},{line}\n" for line in lines)
        (self.folder / f"results-{name.removeprefix('attendance-')}").write_text(text, encoding="utf-8")

    def states(self) -> dict[str, Sent]:
        """How far the row of each student is."""
        with self.ground.store.begin() as connection:
            found = attendance_rows.times_of_days(connection, self.ground.college.key, MONDAY, MONDAY)
        return {key.person: one.outcome.state for key, one in found.items()}


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Two students' hours, handed over."""
    folder = tmp_path / "campus-cafe"
    folder.mkdir()
    for name, header in HEADERS.items():
        (folder / name).write_text(header, encoding="utf-8")
    manifest = {"written_at": "2026-09-08T03:00:00Z", "rows": dict.fromkeys(HEADERS, 0)}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    settings = {"campus_cafe": {"folder": str(folder)}}
    with installed(tmp_path, monkeypatch, raw_college(**settings)) as one:
        made = Office(ground(one.store, **settings), folder)
        made.ground.take(exported("S1", "2001", MONDAY, 3600), exported("S1", "2002", MONDAY, 1800))
        assert made.night(0).rows == {Wrote.HANDED_OVER: 2}
        yield made


def test_rows_of_which_nothing_is_heard_stay_handed_over_and_are_not_sent_twice(office: Office) -> None:
    found = office.night(1)

    assert (found.rows, found.problems) == ({}, [])
    assert (office.states(), len(office.out())) == ({"2001": Sent.HANDED_OVER, "2002": Sent.HANDED_OVER}, 1)


def test_rows_that_were_accepted_are_confirmed(office: Office) -> None:
    office.answer(office.out()[0], "0,written,,", "1,unchanged,,")

    found = office.night(1)

    assert found.rows == {Wrote.WRITTEN: 1, Wrote.UNCHANGED: 1}
    assert (office.states(), len(office.out())) == ({"2001": Sent.CONFIRMED, "2002": Sent.CONFIRMED}, 1)


def test_a_row_that_was_refused_is_told_waits_and_goes_out_again(office: Office) -> None:
    office.answer(office.out()[0], "1,refused,not_registered,No such registration", "0,written,,")

    heard, waiting, again = office.night(1), office.night(1), office.night(2)

    assert (heard.rows, heard.refused) == ({Wrote.WRITTEN: 1, Wrote.REFUSED: 1}, {"not_registered": 1})
    assert [(line.person, line.detail) for line in heard.lines] == [("2002", "202610/MTH101/4: No such registration")]
    assert (heard.waiting, waiting.rows, again.rows) == ({MONDAY + 3 * DAY: 1}, {}, {Wrote.HANDED_OVER: 1})
    assert office.states() == {"2001": Sent.CONFIRMED, "2002": Sent.HANDED_OVER}


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (("0,written,,",), "1 results came for 2 rows"),
        (("0,written,,", "1,written,,", "2,written,,"), "3 results came for 2 rows"),
        (("0,written,,", "7,written,,"), "2 results came for 2 rows"),
        (("0,written,,", "1,perhaps,,"), "a result says neither of which row it is nor what became of it"),
    ],
)
def test_an_answer_that_cannot_be_used_is_told_and_confirms_nothing_until_it_is_mended(
    office: Office, lines: tuple[str, ...], why: str
) -> None:
    [name] = office.out()
    office.answer(name, *lines)

    odd = office.night(1)
    office.answer(name, "0,written,,", "1,written,,")
    mended = office.night(2)

    told = f"Campus Cafe's results-{name.removeprefix('attendance-')} cannot be used: {why}."
    assert (odd.rows, odd.problems) == ({}, [told])
    assert (mended.rows, mended.problems) == ({Wrote.WRITTEN: 2}, [])
    assert office.states() == {"2001": Sent.CONFIRMED, "2002": Sent.CONFIRMED}


def test_an_answer_to_time_that_changed_meanwhile_counts_for_the_other_row_alone(office: Office) -> None:
    [first] = office.out()
    office.ground.take(exported("S1", "2001", MONDAY, 7200), exported("S1", "2002", MONDAY, 1800), read_at=NIGHT + DAY)
    office.night(1)
    office.answer(first, "0,written,,", "1,written,,")

    found = office.night(2)

    assert found.rows == {Wrote.WRITTEN: 1}
    assert office.states() == {"2001": Sent.HANDED_OVER, "2002": Sent.CONFIRMED}
