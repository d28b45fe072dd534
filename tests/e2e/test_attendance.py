"""Attendance in a real Airflow: a night, the form, and days backfilled by command line and as the dialog does it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from rosterflow.domain.attendance.ledger import Effect
from rosterflow.store.attendance_rows import Sent
from tests.e2e.attendance_chapter import STRANGER, Attendance, Backfilled, backward_by_api, forward_by_cli
from tests.e2e.college_chapter import CollegeYear
from tests.e2e.ground import Ground

DAY = timedelta(days=1)
DONE = {"open_run", "read", "import", "write", "mail"}


def test_the_night_reads_a_week_and_its_mail_names_what_was_not_written(attendance: Attendance) -> None:
    night = attendance.night
    first, last = night.days

    assert (night.run.state, night.run.states("success"), night.run.states("skipped")) == (
        "success",
        DONE,
        {"ask_approval"},
    )
    assert last - first == 7 * DAY
    assert "not written, unknown-student: 1 (1 h 00 min)" in night.mail["plain"]
    assert set(night.mail["recipients"]) == {"registrar@college.example", "lms@college.example"}
    assert [file["size"] > 200 for file in night.mail["attachments"]] == [True]


def test_the_days_of_the_form_are_read_again_and_nothing_changes(attendance: Attendance) -> None:
    assert (attendance.form.run.state, attendance.form.days) == ("success", (attendance.days[1], attendance.days[2]))
    assert [school["effects"] for school in attendance.form.counts["attendance"].values()] == [{}, {}, {}]
    assert "imported with no change" in attendance.form.mail["subject"]


def one_by_one(days: list[date]) -> list[tuple[str, tuple[date, date]]]:
    """Runs that went well and read a day each."""
    return [("success", (day, day)) for day in days]


def test_a_backfill_of_the_command_line_reads_each_day_once(attendance: Attendance) -> None:
    assert attendance.forward.runs == one_by_one(attendance.days)
    assert attendance.forward.most == 1


def test_a_backfill_of_the_dialog_reads_the_newest_day_first_and_two_at_once(attendance: Attendance) -> None:
    assert sorted(attendance.backward.runs) == one_by_one(attendance.days)
    assert attendance.backward.runs[-1] == ("success", (attendance.days[0], attendance.days[0]))
    assert attendance.backward.most == 2


def whole(told: Backfilled, days: list[date]) -> None:
    """Every day is covered, and every fact booked once."""
    assert set(told.books.covered.values()) == {tuple(days)}
    assert {change[-1] for change in told.books.changes} == {Effect.NEW}
    assert set(told.books.changes.values()) == {1}
    assert len(told.books.changes) == len(told.books.facts)
    assert {state for _, _, state, _ in told.books.rows.values()} <= {Sent.CONFIRMED, Sent.REFUSED}
    assert told.books.due == ()


def test_both_backfills_leave_the_same_books_with_every_day_and_every_fact_once(attendance: Attendance) -> None:
    assert attendance.backward.books == attendance.forward.books
    assert attendance.backward.held == attendance.forward.held
    assert len(attendance.forward.books.facts) > 300
    assert len(attendance.forward.held) > 300
    whole(attendance.forward, attendance.days)


def test_the_ledger_can_be_built_again_from_what_was_kept_of_the_export(attendance: Attendance) -> None:
    assert attendance.recomputed == 0


def test_airflows_database_has_of_the_import_only_references_and_counts(
    ground: Ground, attendance: Attendance, college: CollegeYear
) -> None:
    """Pages, and the lines of the mail, are kept encrypted elsewhere."""
    values = ground.metadata("select value from xcom where dag_id = 'coursekey_attendance__college'")
    persons = {booking[0] for booking in attendance.forward.books.facts.values()}

    assert len(values) > 20
    assert STRANGER in persons
    assert [value for (value,) in values if any(f'"{person}"' in str(value) for person in persons)] == []


@pytest.mark.soak
def test_thirty_days_in_any_order_leave_the_same_books(ground: Ground, attendance: Attendance) -> None:
    last = attendance.days[-1]
    days = [last - number * DAY for number in reversed(range(30))]
    ground.control("coursekey/attend", {"from": str(days[0]), "to": str(last)})

    forward = forward_by_cli(ground, days)
    backward = backward_by_api(ground, days, at_once=1)
    at_once = forward_by_cli(ground, days, at_once=2)

    assert forward.runs == one_by_one(days)
    assert backward.runs == one_by_one(days[::-1])
    assert (sorted(at_once.runs), at_once.most) == (one_by_one(days), 2)
    assert (backward.books, backward.held) == (forward.books, forward.held)
    assert (at_once.books, at_once.held) == (forward.books, forward.held)
    whole(forward, days)
