"""The ledger in the store: what a night changes, what it leaves alone, and the laws of the pure one."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from rosterflow.domain.attendance.booking import Origin, RowKey, Time
from rosterflow.domain.attendance.ledger import Effect
from rosterflow.domain.attendance.module import ExceptionDay, LastDate, Wrote
from rosterflow.domain.errors import Code, NeedsPerson, RetryableError
from rosterflow.store import approvals, attendance, attendance_rows, leases
from rosterflow.store.approvals import ApprovalState
from rosterflow.store.engine import Store
from rosterflow.sync.approving import APPROVE, Answer
from rosterflow.sync.attendance_importing import import_read
from rosterflow.sync.attendance_voids import decide_voids, describe_voids, is_about_attendance
from rosterflow.sync.attendance_writing import spans
from tests.sync.attendance_ground import DAY, MATH, MONDAY, NIGHT, STUDENTS, Ground, Killed, course, exported, ground

HOUR = timedelta(hours=1)


@pytest.fixture
def here(store: Store) -> Ground:
    """A section of four students."""
    return ground(store)


def row(person: str, on: date = MONDAY) -> RowKey:
    return RowKey(MATH, person, on)


def monday(**seconds: int) -> list[dict[str, Any]]:
    """Monday's session: by student, without the 20 in front."""
    return [exported("S1", f"20{number.removeprefix('s')}", MONDAY, n) for number, n in seconds.items()]


def test_a_night_books_what_it_read_and_writes_it(here: Ground) -> None:
    imported = here.take(*monday(s01=5399, s02=3600))
    written = here.write()

    assert (imported.effects, imported.seconds) == ({Effect.NEW: 2}, 8999)
    assert here.module.held() == {("2001", MONDAY): Time(1, Decimal(29)), ("2002", MONDAY): Time(1, Decimal(0))}
    assert (written.rows, written.dates) == ({Wrote.WRITTEN: 2}, {Wrote.WRITTEN: 2})
    assert here.module.dates_kept[MATH, "2001"].on == MONDAY
    assert written.unseen == [(MATH, "2003"), (MATH, "2004")]


def test_the_same_night_again_changes_nothing_and_opens_nothing(here: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    here.take(*monday(s01=5399, s02=3600))
    here.write()
    opened: list[object] = []
    monkeypatch.setattr(attendance, "facts_of", lambda *given: opened.append(given))

    again = here.take(*monday(s01=5399, s02=3600), read_at=NIGHT + HOUR)
    written = here.write()

    assert (again.effects, again.unchanged, again.seconds, opened) == ({}, 2, 8999, [])
    assert (written.rows, written.dates, len(here.module.sent)) == ({}, {}, 1)


def test_raised_lowered_zeroed_and_missing_time_is_written_and_audited(here: Ground) -> None:
    before = monday(s01=3600, s02=3600, s03=3600) + [exported("S2", n, MONDAY, 60) for n in STUDENTS[:3]]
    here.take(*before)
    here.write()

    after = monday(s01=7200, s02=1800, s03=0) + [exported("S2", n, MONDAY, 60) for n in STUDENTS[:2]]
    imported = here.take(*after, read_at=NIGHT + HOUR)
    here.write()

    assert imported.effects == {Effect.RAISED: 1, Effect.LOWERED: 2, Effect.VOIDED: 1}
    assert here.module.held() == {("2001", MONDAY): Time(2, Decimal(1)), ("2002", MONDAY): Time(0, Decimal(31))}
    assert here.module.dates_kept[MATH, "2003"].on is None
    with here.store.begin() as connection:
        told = attendance.audit_of(connection, here.college.key, "2003", [course()])
    lines = [
        (one.name.session, one.noted.effect, one.noted.seconds_before, one.noted.seconds, one.noted.page)
        for one in told
    ]
    assert sorted(lines[:2]) == [("S1", Effect.NEW, 0, 3600, 1), ("S2", Effect.NEW, 0, 60, 1)]
    assert sorted(lines[2:]) == [("S1", Effect.LOWERED, 3600, 0, 1), ("S2", Effect.VOIDED, 60, 0, 0)]


def test_a_read_with_a_gap_voids_nothing(here: Ground) -> None:
    here.take(*monday(s01=3600, s02=3600))

    imported = here.take(*monday(s01=7200), read_at=NIGHT + HOUR, gaps=("page 2 could not be read",))

    assert (imported.is_whole, imported.effects) == (False, {Effect.RAISED: 1})
    assert here.booked() == {("S1", "2001"): (MONDAY, 7200), ("S1", "2002"): (MONDAY, 3600)}


def test_what_moves_to_another_day_leaves_0_behind(here: Ground) -> None:
    here.take(*monday(s01=3600), last=MONDAY + DAY)
    here.write()

    moved = exported("S1", "2001", MONDAY + DAY, 3600)
    imported = here.take(moved, last=MONDAY + DAY, read_at=NIGHT + HOUR)
    here.write(MONDAY + DAY, MONDAY + DAY)

    assert imported.effects == {Effect.MOVED: 1}
    assert here.module.held() == {("2001", MONDAY + DAY): Time(1, Decimal(0))}


def test_too_much_gone_at_once_waits_for_a_person_and_what_came_is_booked(here: Ground) -> None:
    here.take(*monday(s01=3600, s02=3600, s03=3600, s04=3600))

    imported = here.take(*monday(s01=7200, s02=3600, s03=3600), read_at=NIGHT + HOUR)
    approval = imported.approval
    assert approval is not None
    with here.store.begin() as connection:
        request = approvals.get_approval(connection, here.college.key, approval)
        assert is_about_attendance(connection, here.college, approval)

    assert (imported.held, imported.is_whole, request.state) == (1, False, ApprovalState.WAITING)
    assert here.booked()["S1", "2001"] == (MONDAY, 7200)
    assert here.booked()["S1", "2004"] == (MONDAY, 3600)
    told = describe_voids(here.store, here.college, approval)
    assert told.lines == ("Course C1: 1 records of 1 students, 1.00 hours, are gone.",)


def decide(here: Ground, approval: int, answer: Answer) -> None:
    run = here.run("approval").id
    decide_voids(
        here.store,
        here.college,
        run,
        approval,
        [answer],
        NIGHT + 3 * HOUR,
        lambda read: import_read(here.store, here.college, run, here.again(read), NIGHT + 3 * HOUR, approved=True),
    )


def held(here: Ground) -> int:
    """Somebody is gone of four, and a person is asked."""
    here.take(*monday(s01=3600, s02=3600, s03=3600, s04=3600))
    here.write()
    approval = here.take(*monday(s01=3600, s02=3600, s03=3600), read_at=NIGHT + HOUR).approval
    assert approval is not None
    return approval


def test_what_a_person_approves_is_taken_back_and_written_by_the_next_run_whatever_its_days(here: Ground) -> None:
    decide(here, held(here), Answer(APPROVE, "The class was cancelled", "nora"))
    here.write(MONDAY + 9 * DAY, MONDAY + 9 * DAY, run="later")

    assert ("S1", "2004") not in here.booked()
    assert sorted(person for person, _ in here.module.held()) == ["2001", "2002", "2003"]


def test_what_a_person_rejects_stays_booked_and_is_not_asked_about_again(here: Ground) -> None:
    decide(here, held(here), Answer("Reject", "CourseKey lost it", "nora"))

    again = here.take(*monday(s01=3600, s02=3600, s03=3600), read_at=NIGHT + 5 * HOUR)

    assert (again.held, again.approval) == (1, None)
    assert here.booked()["S1", "2004"] == (MONDAY, 3600)


def test_an_answer_without_a_comment_takes_nothing_back(here: Ground) -> None:
    approval = held(here)

    with pytest.raises(NeedsPerson):
        decide(here, approval, Answer(APPROVE, "", "nora"))

    assert here.booked()["S1", "2004"] == (MONDAY, 3600)


def test_an_approval_of_days_that_were_read_again_comes_too_late(here: Ground) -> None:
    approval = held(here)
    here.take(*monday(s01=3600, s02=3600, s03=3600, s04=3600), read_at=NIGHT + 2 * HOUR)

    decide(here, approval, Answer(APPROVE, "It is gone", "nora"))

    assert here.booked()["S1", "2004"] == (MONDAY, 3600)


def test_a_refused_row_is_told_and_tried_again_the_next_day(here: Ground) -> None:
    here.take(*monday(s01=3600))
    here.module.refuse = {"2001": "not_in_session"}
    refused = here.write()
    here.module.refuse = {}
    again = here.write(at=NIGHT + DAY)

    assert (refused.rows, refused.refused) == ({Wrote.REFUSED: 1}, {"not_in_session": 1})
    assert again.rows == {Wrote.WRITTEN: 1}


def test_rows_that_people_made_and_days_after_a_manual_last_date_are_left_alone(here: Ground) -> None:
    here.module.put(row("2001"), 2, Decimal(0), Origin.MANUAL)
    here.module.put(row("2002"), 1, Decimal(0), Origin.MAKE_UP)
    here.module.dates_kept[MATH, "2003"] = LastDate(*MATH, "2003", MONDAY - DAY, is_manual=True)
    here.module.days = (ExceptionDay(*MATH, MONDAY, adds_time=True),)
    here.take(*monday(s01=3600, s02=3600, s03=3600, s04=60))

    written = here.write()

    assert written.listed == {"made-by-hand": 1, "after-last-date": 1}
    assert written.remarks == {"maybe-counted-twice": 2}
    assert {key.person for call in here.module.sent for key, _ in call} == {"2002", "2004"}
    assert here.module.dates_kept[MATH, "2003"].on == MONDAY - DAY


def test_unknown_students_and_courses_are_listed_with_their_seconds(here: Ground) -> None:
    here.take(exported("S1", "9999", MONDAY, 60), exported("S2", "2001", MONDAY, 120, courseID="C9"))

    written = here.write()

    assert written.listed == {"unknown-student": 1, "unknown-course": 1}
    assert written.listed_seconds == {"unknown-student": 60, "unknown-course": 120}


def test_nothing_is_written_while_what_campus_cafe_holds_is_not_known(here: Ground) -> None:
    here.take(*monday(s01=3600))
    here.module.gaps = ("page 2 of 3 failed",)

    with pytest.raises(RetryableError) as caught:
        here.write()

    assert (caught.value.code, here.module.sent) == (Code.PARTIAL_RESPONSE, [])


def test_two_runs_never_write_at_once(here: Ground) -> None:
    here.take(*monday(s01=3600))
    with here.store.begin() as connection:
        leases.acquire(connection, "attendance/college", "another run", NIGHT, HOUR)

    with pytest.raises(RetryableError) as caught:
        here.write()

    assert (caught.value.code, here.module.sent) == (Code.WRITER_BUSY, [])


def test_a_writer_that_is_killed_is_made_good_by_a_later_run_of_other_days(here: Ground) -> None:
    here.take(*monday(s01=3600, s02=3600))
    here.module.dies_after = 1
    with pytest.raises(Killed):
        here.write()
    here.module.dies_after = None

    here.write(MONDAY + 5 * DAY, MONDAY + 5 * DAY, at=NIGHT + HOUR, run="later")

    assert {person for person, _ in here.module.held()} == {"2001", "2002"}
    with here.store.begin() as connection:
        assert attendance_rows.due(connection, here.college.key) == {}


def test_days_are_written_in_runs_without_a_gap() -> None:
    days = [MONDAY + at * DAY for at in (4, 0, 1, 6)]

    assert list(spans(days)) == [(MONDAY, MONDAY + DAY), (MONDAY + 4 * DAY,) * 2, (MONDAY + 6 * DAY,) * 2]


@pytest.mark.parametrize("seed", range(3))
def test_reads_in_any_order_split_and_repeated_give_the_same_ledger(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    days = [MONDAY + at * DAY for at in range(4)]
    reads = []
    for at in range(6):
        first, last = sorted(chance.choices(days, k=2))
        whole = chance.random() < 0.7
        rows = [
            exported(session, person, chance.choice([d for d in days if first <= d <= last]), chance.choice([0, 1799]))
            for session in "xy"
            for person in STUDENTS[:2]
            if chance.random() < 0.7
        ]
        reads.append((rows, first, last, NIGHT + at * DAY, () if whole else ("a page failed",)))
    ledgers: list[dict[tuple[str, str], tuple[date, int]]] = []
    for order in (reads, reads[::-1], [*chance.sample(reads, 6), *chance.sample(reads, 3)]):
        here = ground(store, key=f"college{len(ledgers)}", attendance={"losses_percent": 100})
        for rows, first, last, read_at, gaps in order:
            cut = chance.randrange(len(rows) + 1)
            opened = here.opened([rows[:cut], rows[cut:]], first, last, read_at, gaps)
            import_read(store, here.college, here.run().id, opened, read_at)
        ledgers.append(here.booked())

    assert ledgers[1:] == [ledgers[0], ledgers[0]]


def test_what_courses_have_in_some_days_is_looked_up_course_by_course(sqlite_file: Path) -> None:
    sqlite = Store(f"sqlite:///{sqlite_file}")
    asked: list[tuple[str, Any]] = []
    with sqlite.begin() as connection:
        event.listen(connection, "before_cursor_execute", lambda _1, _2, words, given, *_: asked.append((words, given)))
        courses = [attendance.Course("S1", "C1"), attendance.Course("S1", "C2")]
        assert list(attendance.facts_in(connection, "north", courses, MONDAY, MONDAY + DAY)) == []
        ((words, given),) = asked
        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", given)]

    sqlite.dispose()
    searches = [line for line in plan if line.startswith("SEARCH attendance_session")]
    assert ["(institution=? AND school=? AND course_id=?)" in line for line in searches] == [True]
