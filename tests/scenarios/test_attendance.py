"""The nightly import against the sandbox: the rules of reference coursekey §3.5 as stories (issue 5, §5.5.3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from rosterflow.domain.attendance.ledger import Effect
from rosterflow.domain.attendance.module import Wrote
from rosterflow.domain.attendance.report import AttendanceReport, Count, Outcome, SchoolReport
from sandbox.serving import RunningSandbox
from tests.harness import Clock
from tests.scenarios.attendance_nights import DAY, MAIN, WEST, Nights, nights
from tests.scenarios.drain_ground import EMPTY, sandbox_of

MONDAY, TUESDAY, WEDNESDAY, FRIDAY, SUNDAY = (date(2026, 9, day) for day in (7, 8, 9, 11, 13))
NOON = datetime(2026, 9, 1, 16, tzinfo=UTC)
CLASS = tuple(str(number) for number in range(2001, 2011))
ADA, BEN, CAT = CLASS[:3]


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with sandbox_of(EMPTY, Clock(NOON)) as sandbox:
        yield sandbox


@pytest.fixture
def college(running: RunningSandbox, tmp_path: Path) -> Iterator[Nights]:
    running.world.reset(college=EMPTY)
    clock = Clock(NOON)
    running.world.now = clock
    with nights(running, tmp_path, clock) as one:
        yield one


def school(report: AttendanceReport, number: str = MAIN) -> SchoolReport:
    return next(one for one in report.schools if one.school == number)


def test_a_week_is_imported_ten_records_are_adjusted_and_a_further_identical_run_changes_nothing(
    college: Nights,
) -> None:
    math = college.teach("MTH101/4", *CLASS, days="Monday|Wednesday|Friday")
    college.town.clock.moment = datetime(2026, 9, 14, 4, tzinfo=UTC)
    college.attend(MONDAY, SUNDAY)
    first = college.night(MONDAY, SUNDAY)
    before = college.rows(math)
    for kind, count in (("raise", 3), ("lower", 3), ("zero", 2), ("delete", 2)):
        college.adjust(kind, count)
    second = college.night(MONDAY, SUNDAY, at=college.town.clock() + DAY)
    after = college.rows(math)
    third = college.night(MONDAY, SUNDAY, at=college.town.clock() + DAY)

    assert len(before) > 20
    assert set(before.values()) <= {(1, minutes) for minutes in range(15, 31)}
    assert school(first).effects[Effect.NEW] >= len(before)
    assert school(second).effects == {Effect.RAISED: 3, Effect.LOWERED: 5, Effect.VOIDED: 2}
    assert second.rows == {Wrote.WRITTEN: 10}
    assert len([key for key in before if after.get(key) != before[key]]) == 10
    assert (len(before) - len(after), third.changes, third.rows, third.dates) == (4, 0, {}, {})
    assert college.letters[2].subject.endswith(
        "1 warning, attendance of 2026-09-07 to 2026-09-13 imported with no change"
    )
    assert "3 records awarded more than the session offered" in college.letters[2].plain


def test_r3_the_seconds_of_a_day_are_summed_before_they_become_minutes(college: Nights) -> None:
    math = college.teach("MTH101/4", ADA)
    for number in range(20):
        college.record(math, ADA, MONDAY, 1799, f"S{number}")

    report = college.night(MONDAY)

    assert college.rows(math) == {(ADA, "2026-09-07"): (9, 59)}
    assert school(report).booked == {MONDAY: 35_980}


def test_r5_time_that_is_taken_away_leaves_a_zero_and_an_older_day_as_the_last_attended(college: Nights) -> None:
    math = college.teach("MTH101/4", ADA)
    college.record(math, ADA, MONDAY, 3600)
    wednesday = college.record(math, ADA, WEDNESDAY, 5400, "S2")
    college.night(MONDAY, WEDNESDAY)
    before = college.last_dates(math)
    college.change(wednesday, timeAwarded=0)

    college.night(MONDAY, WEDNESDAY, at=college.town.clock() + DAY)

    assert (before, college.last_dates(math)) == ({ADA: "2026-09-09"}, {ADA: "2026-09-07"})
    assert college.rows(math) == {(ADA, "2026-09-07"): (1, 0)}


def test_r6_what_disappears_from_a_whole_read_is_voided_and_from_a_cut_one_not(college: Nights) -> None:
    math = college.teach("MTH101/4", *CLASS)
    records = [college.record(math, student, MONDAY, 3600) for student in CLASS]
    college.night(MONDAY)
    college.delete(records[0])
    college.town.configure(export_page_size=3)
    college.arm("drop_page", after=1)

    cut = college.night(MONDAY, at=college.town.clock() + DAY)
    kept = college.rows(math)
    whole = college.night(MONDAY, at=college.town.clock() + DAY)

    assert (school(cut).is_whole, school(cut).effects, len(kept)) == (False, {}, 10)
    assert "not whole, so nothing was voided" in college.letters[1].plain
    assert school(whole).effects == {Effect.VOIDED: 1}
    assert (ADA, "2026-09-07") not in college.rows(math)


def test_r6_an_empty_export_voids_nothing_asks_a_person_and_is_in_the_subject_line(college: Nights) -> None:
    math = college.teach("MTH101/4", *CLASS, days="Monday")
    for student in CLASS:
        college.record(math, student, MONDAY, 3600)
    college.night(MONDAY)
    college.arm("empty_list", count=None)

    report = college.night(MONDAY, at=college.town.clock() + DAY)

    told = school(report)
    assert (told.held, told.effects, report.outcome) == (10, {}, Outcome.WARNINGS)
    assert told.approval is not None
    assert len(college.rows(math)) == 10
    assert college.letters[1].subject.endswith(
        "imported with no change, the export is empty although classes were scheduled"
    )


def test_r6_a_fifth_of_the_window_may_go_without_a_question_and_more_may_not(college: Nights) -> None:
    math = college.teach("MTH101/4", *CLASS)
    records = [college.record(math, student, MONDAY, 3600) for student in CLASS]
    college.night(MONDAY)
    college.delete(*records[:2])
    fifth = college.night(MONDAY, at=college.town.clock() + DAY)
    college.delete(*records[2:4])
    more = college.night(MONDAY, at=college.town.clock() + DAY)

    assert (school(fifth).effects, school(fifth).held) == ({Effect.VOIDED: 2}, 0)
    assert (school(more).effects, school(more).held) == ({}, 2)
    assert len(college.rows(math)) == 8


def test_r7_rows_that_people_made_are_never_touched_and_a_double_count_is_flagged(college: Nights) -> None:
    math = college.teach("MTH101/4", ADA, BEN, CAT)
    for student, origin in ((ADA, "manual"), (BEN, "make-up")):
        named = {"semester": "202610", "courseNumber": "MTH101", "section": "4", "personId": student}
        college.town.put("attendance", **named, date="2026-09-07", hours=4, minutes=0, origin=origin)
    for student in (ADA, BEN, CAT):
        college.record(math, student, MONDAY, 3600)

    report = college.night(MONDAY)

    assert college.rows(math, "manual") == {(ADA, "2026-09-07"): (4, 0)}
    assert college.rows(math, "make-up") == {(BEN, "2026-09-07"): (4, 0)}
    assert college.rows(math) == {(CAT, "2026-09-07"): (1, 0)}
    assert report.not_written == {"made-by-hand": Count(1, 3600)}
    assert report.remarks == {"maybe-counted-twice": 1}


def test_r8_nothing_is_written_after_a_last_date_that_a_person_set(college: Nights) -> None:
    math = college.teach("MTH101/4", ADA)
    named = {"semester": "202610", "courseNumber": "MTH101", "section": "4", "personId": ADA}
    college.town.put("enrollment-details", **named, lastDateAttended="2026-09-08", isManual=True)
    for day, session in ((MONDAY, "S1"), (WEDNESDAY, "S2")):
        college.record(math, ADA, day, 3600, session)

    report = college.night(MONDAY, WEDNESDAY)

    assert college.rows(math) == {(ADA, "2026-09-07"): (1, 0)}
    assert college.last_dates(math) == {ADA: "2026-09-08"}
    assert report.not_written == {"after-last-date": Count(1, 3600)}
    assert (report.outcome, report.refused) == (Outcome.WARNINGS, {})


def test_r10_a_session_in_progress_is_skipped_and_booked_when_it_is_over(college: Nights) -> None:
    math = college.teach("MTH101/4", ADA)
    record = college.record(math, ADA, MONDAY, 1200, status="inProgress")
    first = college.night(MONDAY)
    nothing = college.rows(math)
    college.change(record, timeAwarded=5400, status="complete")

    second = college.night(MONDAY, at=college.town.clock() + DAY)

    assert (nothing, college.rows(math)) == ({}, {(ADA, "2026-09-07"): (1, 30)})
    assert school(first).skipped == {"in-progress": Count(1, 1200)}
    assert (first.outcome, school(second).effects) == (Outcome.SUCCESS, {Effect.NEW: 1})


def test_r11_who_is_unknown_or_dropped_is_an_error_line_and_nothing_is_lost(college: Nights) -> None:
    math = college.teach("MTH101/4", ADA, BEN, CAT)
    for day, session in ((MONDAY, "S1"), (WEDNESDAY, "S2")):
        for student in (ADA, BEN, CAT):
            college.record(math, student, day, 3600, session, **({"issuedID": "990001"} if student == CAT else {}))
    named = {"semester": "202610", "courseNumber": "MTH101", "section": "4", "personId": BEN}
    college.town.put("registrations", **named, status="dropped", droppedOn="2026-09-08")
    college.town.clock.moment = datetime(2026, 9, 9, 12, tzinfo=UTC)
    college.town.collect()
    college.record(math, ADA, MONDAY, 60, "S3", courseID="made by hand")

    report = college.night(MONDAY, WEDNESDAY)

    assert college.rows(math) == {
        (ADA, "2026-09-07"): (1, 0), (ADA, "2026-09-09"): (1, 0), (BEN, "2026-09-07"): (1, 0),
    }  # fmt: skip
    assert report.not_written == {
        "unknown-student": Count(2, 7200), "after-drop": Count(1, 3600), "unknown-course": Count(1, 60),
    }  # fmt: skip
    [table] = college.letters[0].attachments
    assert "unknown-student,,990001" not in table.data.decode()
    assert table.data.decode().count("990001") == 2
    assert "made by hand" in table.data.decode()


def test_a_day_on_which_the_section_does_not_meet_is_refused_and_told_with_campus_cafes_words(
    college: Nights,
) -> None:
    meeting = {"date": "2026-09-07", "startTime": "09:00", "endTime": "10:30", "isCancelled": False}
    math = college.teach("MTH101/4", ADA, meetings=[meeting])
    for day, session in ((MONDAY, "S1"), (TUESDAY, "S2")):
        college.record(math, ADA, day, 3600, session)

    report = college.night(MONDAY, TUESDAY)

    assert college.rows(math) == {(ADA, "2026-09-07"): (1, 0)}
    assert report.refused == {"not_in_session": 1}
    assert "202610/MTH101/4: Course Not in Session" in college.letters[0].attachments[0].data.decode()


def test_r12_a_malformed_record_is_an_error_line_and_keeps_no_other_back(college: Nights) -> None:
    math = college.teach("MTH101/4", ADA, BEN, CAT)
    for student, seconds in ((ADA, "a while"), (BEN, -60), (CAT, 3600)):
        college.record(math, student, MONDAY, seconds)

    report = college.night(MONDAY)

    assert college.rows(math) == {(CAT, "2026-09-07"): (1, 0)}
    assert school(report).skipped == {"unreadable": Count(1), "negative": Count(1)}
    assert len(school(report).problems) == 1
    assert "a while" not in college.letters[0].plain


def test_r13_pages_that_overlap_count_nothing_twice(college: Nights) -> None:
    math = college.teach("MTH101/4", *CLASS)
    for student in CLASS:
        college.record(math, student, MONDAY, 3600)
    college.town.configure(export_page_size=6)
    college.arm("overlap", match=MAIN)

    report = college.night(MONDAY)

    assert set(college.rows(math).values()) == {(1, 0)}
    assert school(report).skipped == {"duplicate": Count(5, 5 * 3600)}
    assert (school(report).effects, report.outcome) == ({Effect.NEW: 10}, Outcome.SUCCESS)


def test_r14_a_correction_older_than_the_look_back_comes_with_a_deep_pass_or_a_backfill(college: Nights) -> None:
    math = college.teach("MTH101/4", ADA)
    record = college.record(math, ADA, MONDAY, 3600)
    college.night(MONDAY)
    college.change(record, timeAwarded=7200)
    october = MONDAY + 30 * DAY

    nightly = college.night(october - 7 * DAY, october)
    before = college.rows(math)
    deep = college.night(october - 35 * DAY, october, at=college.town.clock() + timedelta(hours=1))

    assert (nightly.changes, before) == (0, {(ADA, "2026-09-07"): (1, 0)})
    assert school(deep).effects == {Effect.RAISED: 1}
    assert college.rows(math) == {(ADA, "2026-09-07"): (2, 0)}


def test_a_key_that_is_refused_is_a_failure_by_its_alias_and_the_other_key_is_imported(college: Nights) -> None:
    math = college.teach("MTH101/4", ADA)
    college.record(math, ADA, MONDAY, 3600)
    college.town.configure(refused_keys=["sandbox-coursekey-key-2"])

    report = college.night(MONDAY)

    assert college.rows(math) == {(ADA, "2026-09-07"): (1, 0)}
    assert report.outcome is Outcome.FAILURE
    assert "auth key 1-3" in school(report, WEST).error
    assert "FAILURE" in college.letters[0].subject
    for text in (college.letters[0].plain, college.letters[0].html):
        assert "sandbox-coursekey-key" not in text


def test_a_night_without_a_record_and_without_a_class_is_a_success_and_mailed(college: Nights) -> None:
    report = college.night(SUNDAY)

    assert (report.outcome, [one.records for one in report.schools]) == (Outcome.SUCCESS, [0, 0, 0])
    assert college.letters[0].subject.endswith("success, attendance of 2026-09-13 imported with no change")


def test_students_enrolled_but_not_seen_are_named_by_section(college: Nights) -> None:
    math = college.teach("MTH101/4", ADA, BEN)
    college.record(math, ADA, MONDAY, 3600)

    report = college.night(MONDAY)

    assert [(one.section, one.persons) for one in report.unseen] == [("202610/MTH101/4", (BEN,))]
    assert report.outcome is Outcome.WARNINGS


def test_days_in_any_order_with_overlaps_give_the_same_rows_as_all_at_once(college: Nights) -> None:
    math = college.teach("MTH101/4", *CLASS, days="Monday|Wednesday|Friday")
    college.town.clock.moment = datetime(2026, 9, 14, 4, tzinfo=UTC)
    college.attend(MONDAY, SUNDAY)
    later = datetime(2026, 9, 14, 9, 30, tzinfo=UTC)
    for first, last in ((FRIDAY, SUNDAY), (TUESDAY, FRIDAY), (MONDAY, TUESDAY)):
        later += timedelta(hours=1)
        college.night(first, last, at=later)
    piece_by_piece, dates = college.rows(math), college.last_dates(math)

    whole = college.night(MONDAY, SUNDAY, at=later + DAY)

    assert (whole.changes, whole.rows, whole.dates) == (0, {}, {})
    assert (college.rows(math), college.last_dates(math)) == (piece_by_piece, dates)
    assert len(piece_by_piece) > 20
