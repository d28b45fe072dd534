"""What Campus Cafe refuses steadily: it is sent again less and less often, stays in sight, and is never lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from rosterflow.cli.app import app
from rosterflow.domain.attendance.booking import Origin, RowKey
from rosterflow.domain.attendance.module import Wrote, tried_again_on
from rosterflow.domain.attendance.report import AttendanceReport, Outcome
from rosterflow.domain.errors import Code, FatalError
from rosterflow.store import attendance_rows
from rosterflow.store.attendance_rows import Sent
from rosterflow.store.tables import audit
from rosterflow.sync.attendance_retrying import retry_refused
from rosterflow.sync.attendance_writing import Written
from tests.domain.coursekey.builders import raw_college
from tests.installed import installed
from tests.sync.attendance_ground import DAY, MATH, MONDAY, NIGHT, Ground, exported, ground

TUESDAY = MONDAY + DAY
ROW = RowKey(MATH, "2001", MONDAY)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    """A college with an hour of a student whose rows Campus Cafe refuses."""
    with installed(tmp_path, monkeypatch, raw_college()) as one:
        made = ground(one.store)
        made.module.refuse = {"2001": "not_registered"}
        made.take(exported("S1", "2001", MONDAY, 3600))
        yield made


def night(here: Ground, number: int) -> Written:
    """A night on which the day before is written, and whatever is due."""
    day = MONDAY + number * DAY
    return here.write(day, day, NIGHT + number * DAY, f"night {number}")


def nights_sent(here: Ground, nights: range) -> list[int]:
    """On which of some nights a row was sent."""
    return [number for number in nights if night(here, number).rows]


def test_a_refused_row_waits_a_day_then_two_then_four_and_then_always_a_week() -> None:
    assert [(tried_again_on(n, MONDAY) - MONDAY).days for n in (1, 2, 3, 4, 5, 50)] == [1, 2, 4, 7, 7, 7]


def test_a_refused_row_is_sent_less_and_less_often_although_no_run_reads_its_day_any_more(here: Ground) -> None:
    assert nights_sent(here, range(24)) == [0, 1, 3, 7, 14, 21]


def test_a_row_that_waits_is_counted_with_its_day_and_listed_only_when_it_is_refused(here: Ground) -> None:
    found = [night(here, number) for number in range(4)]

    assert [one.waiting for one in found] == [
        {TUESDAY + DAY: 1},
        {TUESDAY + 3 * DAY: 1},
        {TUESDAY + 3 * DAY: 1},
        {TUESDAY + 7 * DAY: 1},
    ]
    assert [[line.reason for line in one.lines] for one in found] == [["not_registered"]] * 2 + [[], ["not_registered"]]
    assert found[0].counts()["waiting"] == {"2026-09-09": 1}


def test_the_mail_says_in_one_line_how_many_wait_and_until_when_and_that_alone_is_no_warning() -> None:
    about: dict[str, Any] = {"run": 1, "first": MONDAY, "last": MONDAY, "started_at": NIGHT, "ended_at": NIGHT}
    reports = [AttendanceReport(**about, waiting=waiting) for waiting in ({}, {TUESDAY: 1}, {TUESDAY: 1, MONDAY: 2})]

    told = "not sent again until 2026-09-07 to 2026-09-08, unless changed or asked for"
    assert [one.resting for one in reports] == [
        "",
        "1 row refused before: not sent again until 2026-09-08, unless changed or asked for",
        f"3 rows refused before: {told}",
    ]
    assert {one.outcome for one in reports} == {Outcome.SUCCESS}


def test_a_row_is_sent_at_once_when_its_time_changes_and_begins_anew(here: Ground) -> None:
    nights_sent(here, range(2))
    here.take(exported("S1", "2001", MONDAY, 7200), read_at=NIGHT + 2 * DAY)

    assert nights_sent(here, range(2, 10)) == [2, 3, 5, 9]


def test_a_row_that_campus_cafe_takes_in_the_end_is_confirmed_and_waits_no_more(here: Ground) -> None:
    night(here, 0)
    here.module.refuse = {}

    found = night(here, 1)

    assert (found.rows, found.waiting) == ({Wrote.WRITTEN: 1}, {})
    assert here.module.held() == {("2001", MONDAY): (1, Decimal(0))}
    assert nights_sent(here, range(2, 10)) == []


def test_a_row_in_whose_place_a_person_recorded_the_day_waits_no_more_and_is_sent_when_that_is_gone(
    here: Ground,
) -> None:
    night(here, 0)
    here.module.put(ROW, 1, Decimal(0), Origin.MANUAL)

    assert nights_sent(here, range(1, 10)) == []
    assert night(here, 10).waiting == {}
    here.module.times_kept.clear()
    here.module.refuse = {}
    again = here.write(MONDAY, MONDAY, NIGHT + 11 * DAY, "night 11")
    assert again.rows == {Wrote.WRITTEN: 1}


def test_a_row_that_campus_cafe_holds_by_now_just_as_it_should_be_is_confirmed(here: Ground) -> None:
    night(here, 0)
    here.module.put(ROW, 1, Decimal(0), Origin.OURS)

    found = night(here, 1)

    assert (found.rows, found.waiting) == ({}, {})
    with here.store.begin() as connection:
        [row] = attendance_rows.times_of_person(connection, here.college.key, "2001").values()
    assert (row.outcome.state, row.outcome.code, row.outcome.again_on) == (Sent.CONFIRMED, "", None)


def test_a_person_may_have_it_sent_by_the_next_run_and_is_in_the_audit(here: Ground) -> None:
    nights_sent(here, range(4))

    asked = retry_refused(
        here.store, here.college, "2001", MATH, by="registrar", reason="Registered now", now=NIGHT + 4 * DAY
    )

    assert asked == 1
    assert nights_sent(here, range(4, 9)) == [4, 5, 7]
    with here.store.begin() as connection:
        [act] = connection.execute(select(audit.c.actor, audit.c.act, audit.c.reason, audit.c.detail)).all()
    told = "1 refused rows of 2001 in 202610/MTH101/4"
    assert tuple(act) == ("registrar", "attendance-retry", "Registered now", told)


def test_asking_needs_a_reason_and_touches_nobody_else(here: Ground) -> None:
    night(here, 0)

    asked = retry_refused(here.store, here.college, "2002", None, by="registrar", reason="Why not", now=NIGHT)
    with pytest.raises(FatalError) as caught:
        retry_refused(here.store, here.college, "", None, by="registrar", reason=" ", now=NIGHT)

    assert (asked, caught.value.code) == (0, Code.SETTINGS_INVALID)


def test_a_refused_last_date_waits_as_a_row_does(here: Ground) -> None:
    here.module.refuse, here.module.refuse_dates = {}, {"2001": "invalid"}

    sent = []
    for number in range(16):
        before = len(here.module.dates_sent)
        night(here, number)
        sent.append(len(here.module.dates_sent) - before)

    assert [number for number, count in enumerate(sent) if count] == [0, 1, 3, 7, 14]
    assert set(here.module.dates_sent) == {(MATH, "2001", MONDAY)}


def test_the_command_line_shows_until_when_a_row_waits_and_has_it_sent_again(here: Ground) -> None:
    night(here, 0)
    on_it = ["--institution", here.college.key, "--student", "2001", "--section", "202610/MTH101/4"]

    shown = CliRunner().invoke(app, ["attendance", "show", *on_it, "--json"])
    asked = CliRunner().invoke(app, ["attendance", "retry", *on_it, "--reason", "Registered now"])

    assert '"again_on": "2026-09-09"' in shown.output
    assert asked.output == "1 rows are sent again by the next import.\n"
    with here.store.begin() as connection:
        waits = attendance_rows.waiting(connection, here.college.key, date.max - timedelta(days=1))
        [row] = attendance_rows.times_of_person(connection, here.college.key, "2001").values()
    assert (waits, row.outcome.refusals) == ({}, 0)
