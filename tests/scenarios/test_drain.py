"""The drain over HTTP: what is sent in which order, how much at a time, and what a fault at one place leaves alone."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from rosterflow.domain.coursekey.queue import EntryKind, EntryState, Intent
from rosterflow.domain.coursekey.remote import Course, CourseData
from rosterflow.hooks.coursekey import CourseKeyHook
from rosterflow.store import queue, queue_looking
from rosterflow.store.queue_looking import Selection
from rosterflow.sync.drain_state import Drained
from rosterflow.sync.draining import TERM
from sandbox.serving import RunningSandbox
from tests.harness import Clock
from tests.hooks.coursekey_sandbox import connect
from tests.hooks.other_coursekey import OTHER, TOKEN, serving
from tests.scenarios.drain_ground import (
    KEYS,
    OWNER,
    SMALL,
    Ground,
    a_class,
    course_of,
    enrollment,
    ground,
    no_waiting,
    staff,
    user,
)

DONE, FAILED, PENDING = EntryState.DONE, EntryState.FAILED, EntryState.PENDING


# -- order and dependencies -------------------------------------------------------------------------------------------


def test_an_enrollment_has_its_user_and_its_course_made_first(town: Ground) -> None:
    key = town.section()
    town.register(key, town.person(2001))
    town.collect()
    with town.store.begin() as connection:
        connection.exec_driver_sql("delete from queue_entry where kind <> 'enrollment'")

    drained = town.drain()

    order = [call.operation for call in town.sandbox.world.coursekey.calls if call.operation.startswith(("cr", "en"))]
    assert order == ["create user", "create course", "enroll"]
    assert drained.batches == [Counter({DONE: 3})]


def test_a_class_arrives_whole_and_a_second_drain_sends_nothing(town: Ground) -> None:
    a_class(town)

    town.drain()

    [course] = town.there()["courses"]
    assert course["name"] == "MTH101 - 4: Intro to Math in Fall 2026"
    assert (course["instructorName"], course["attendanceName"], course["owner"]) == ("Ted Quill92001", "Lecture", OWNER)
    assert [(one["email"], one["isOwner"]) for one in course["staff"]] == [
        ("pia.quill.92001@college.example", 0),
        (OWNER, 1),
    ]
    assert [(one["issuedID"], one["isActive"]) for one in course["enrollments"]] == [("2001", 1), ("2002", 1)]
    assert [
        (one["issuedID"], one["isTeacher"], one["welcomeMails"], one["passwordWasSet"])
        for one in town.there()["users"]
        if one["issuedID"]
    ] == [("2001", 0, 1, False), ("2002", 0, 1, False), ("92001", 1, 1, False)]

    town.forget_calls()
    assert town.run().batches == []
    assert town.calls() == Counter()


def test_a_forced_enrollment_makes_a_course_whose_window_is_shut(town: Ground) -> None:
    key = town.section(beginDate="2026-11-01")
    town.register(key, town.person(2001))
    town.collect()
    assert town.counts()[EntryState.DEFERRED]

    town.queue(enrollment(key, "2001"), forced=True)
    town.drain()

    [course] = town.there()["courses"]
    assert len(course["enrollments"]) == 1
    assert "asked-for" in {line.outcome.rule for line in town.history()}


def test_a_wait_listed_student_makes_nothing(town: Ground) -> None:
    key = town.section()
    town.register(key, town.person(2001), status="waitlisted")
    town.collect()
    town.drain()

    assert town.there()["courses"][0]["enrollments"] == []
    assert [one for one in town.there()["users"] if one["issuedID"]] == []


def test_a_change_while_it_is_sent_is_sent_afterwards(town: Ground) -> None:
    key = a_class(town, students=1)
    town.drain()
    town.section(title="Math for All")
    town.run()

    assert town.there()["courses"][0]["title"] == "Math for All"
    assert town.entry(course_of(key)).state is DONE


# -- how much at a time -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "batches"), [(0, []), (1, [1]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50])]
)
def test_a_batch_is_the_hundred_oldest(town: Ground, entries: int, batches: list[int]) -> None:
    people = [town.person(2001 + number) for number in range(entries)]
    town.collect()
    town.queue(*(user(one) for one in people))
    assert town.counts() == +Counter({PENDING: entries})
    left = []

    for _ in range(len(batches) + 1):
        drained = town.drain(max_batches=1)
        left.append((sum(drained.states.values()), town.counts()[PENDING]))

    done = [sum(batches[: number + 1]) for number in range(len(batches))]
    assert left == [*zip(batches, (entries - one for one in done), strict=True), (0, 0)]
    assert town.calls()["create user"] == entries


def test_a_drain_goes_on_until_nothing_is_left(town: Ground) -> None:
    people = [town.person(2001 + number) for number in range(7)]
    town.collect()
    town.queue(*(user(one) for one in people))

    assert town.drain(batch=3).batches == [Counter({DONE: 3}), Counter({DONE: 3}), Counter({DONE: 1})]


# -- faults -----------------------------------------------------------------------------------------------------------


def test_one_poisoned_entry_among_a_hundred_fails_alone(town: Ground) -> None:
    people = [town.person(2001 + number) for number in range(100)]
    town.collect()
    made = {"schoolID": "548156", "firstName": "Al", "lastName": "Other", "isTeacher": 0, "issuedID": "7"}
    by_hand(town, users=[{**made, "email": "PIA.quill.2050@college.example"}])
    town.queue(*(user(one) for one in people))

    assert town.drain().batches == [Counter({DONE: 99, FAILED: 1})]

    [failed] = town.entries(FAILED)
    assert (failed.entity, failed.error_code) == (user("2050"), "account-taken")
    assert "@" not in failed.reason


def test_a_key_that_is_refused_stops_alone_and_keeps_its_entries_pending(town: Ground) -> None:
    main, west = a_class(town, name="MTH101/4"), a_class(town, name="MTH101/5", site="WEST", first=3001)
    before = len(town.entries())
    town.configure(refused_keys=[KEYS[1]])

    drained = town.drain()

    assert list(drained.unusable) == ["1-3"]
    assert {one.entity.section_key or one.entity.site for one in town.entries(PENDING)} == {west, "WEST"}
    assert {one.attempts for one in town.entries(PENDING)} == {0}
    assert [one["schoolID"] for one in town.there()["courses"]] == ["548156"]
    assert town.entry(course_of(main)).state is DONE

    town.configure(refused_keys=[])
    assert town.run().unusable == {}
    assert [one["schoolID"] for one in town.there()["courses"]] == ["548156", "612001"]
    assert town.counts() == Counter({DONE: len(town.entries())})
    assert len(town.entries()) > before


def test_an_owner_whom_one_key_does_not_know_fails_that_keys_entries_with_one_cause(town: Ground) -> None:
    a_class(town)
    west = a_class(town, name="MTH101/5", site="WEST", first=3001)
    town.configure(owner_unknown=[KEYS[1]])

    town.drain()

    failed = town.entries(FAILED)
    assert {one.error_code for one in failed} == {"owner-unknown"}
    assert {one.entity.section_key for one in failed} == {west}
    assert len(town.there()["courses"]) == 1


@pytest.mark.parametrize("operation", ["/users", "/courses"])
@pytest.mark.parametrize("kind", ["drop_after", "500", "html"])
def test_a_create_whose_answer_is_lost_happens_once(town: Ground, operation: str, kind: str) -> None:
    a_class(town, students=3)
    town.arm(kind, match=f"POST /coursekey/api/v1{operation}\n")

    town.drain()
    town.clock.forward(hours=1)
    town.drain()

    users = [one for one in town.there()["users"] if one["issuedID"]]
    assert [one["welcomeMails"] for one in users] == [1, 1, 1, 1]
    [course] = town.there()["courses"]
    assert len(course["enrollments"]) == 3
    assert set(town.counts()) == {DONE}


def test_what_may_pass_is_tried_later_and_later_and_then_parked(town: Ground) -> None:
    town.person(2001)
    town.collect()
    town.queue(user("2001"))
    town.arm("503", count=None)
    waits = []

    for _ in range(town.college.max_attempts):
        town.drain()
        entry = town.entry(user("2001"))
        waits.append((entry.due_at - town.clock()) // timedelta(minutes=1))
        town.clock.moment = max(town.clock(), entry.due_at)

    assert waits == [2, 4, 8, 16, 32, 64, 128, 0]
    assert (entry.state, entry.error_code) == (FAILED, "tries-used-up")


def test_a_far_side_that_is_down_costs_few_entries_an_attempt(town: Ground) -> None:
    people = [town.person(2001 + number) for number in range(30)]
    town.collect()
    town.queue(*(user(one) for one in people))
    town.arm("503", count=None)

    drained = town.drain()

    assert list(drained.unusable) == ["1-1"]
    assert Counter(one.attempts > 0 for one in town.entries(PENDING))[True] <= 8
    town.sandbox.world.faults.restart(1)
    town.clock.forward(minutes=15)
    assert sum(town.drain().states.values()) == 30


class Faulty(CourseKeyHook):
    """One that fails at a course as only a mistake of ours does, in words that name people."""

    async def create_course(self, school: str, data: CourseData, *, owner: str, admins: Sequence[str] = ()) -> Course:
        if "MTH101 - 5" in data.name:
            raise KeyError("Pia Quill")
        return await super().create_course(school, data, owner=owner, admins=admins)


def test_an_entry_that_we_ourselves_fail_at_fails_alone(town: Ground, caplog: pytest.LogCaptureFixture) -> None:
    odd = a_class(town, name="MTH101/5", first=3001)
    good = a_class(town, students=1)
    base = town.college.coursekey.base_url
    town.hooks = lambda name: Faulty(name, base_url=base, timeout=httpx.Timeout(5), sleep=no_waiting)

    town.drain()

    assert (town.entry(course_of(odd)).state, town.entry(course_of(odd)).error_code) == (FAILED, "unexpected")
    assert town.entry(course_of(good)).state is DONE
    assert "course 202610/MTH101/5: KeyError in " in caplog.text
    assert "Quill" not in caplog.text


def test_a_section_on_a_day_that_is_none_fails_with_what_to_mend(town: Ground) -> None:
    odd = a_class(town, name="MTH101/5", first=3001)
    town.section("MTH101/5", days=["Funday"])
    town.collect()

    town.drain()

    assert (town.entry(course_of(odd)).state, town.entry(course_of(odd)).rule) == (FAILED, "weekday-unknown")
    assert town.there()["courses"] == []


def test_what_somebody_removed_there_is_made_again(town: Ground) -> None:
    key = a_class(town)
    town.drain()
    coursekey = town.sandbox.world.coursekey
    with coursekey.lock:
        [course] = coursekey.courses.values()
        coursekey.courses.clear()
        coursekey._by_name.clear()
        coursekey._by_add_code.clear()
    town.section(title="Math for All")

    town.run()

    [again] = coursekey.courses.values()
    assert again.id != course.id
    assert (len(again.enrollments), len(again.staff)) == (2, 2)
    assert town.entry(course_of(key)).state is DONE


def test_what_failed_with_its_course_is_tried_again_when_the_course_is_there(town: Ground) -> None:
    a_class(town)
    town.configure(owner_unknown=list(KEYS))
    town.drain()
    assert Counter((one.rule, one.error_code) for one in town.entries(FAILED)) == Counter(
        {("refused", "owner-unknown"): 1, ("needs-course", "owner-unknown"): 4}
    )
    town.configure(owner_unknown=[])

    with town.store.begin() as connection:
        name = (town.college.key, town.college.coursekey.api_name)
        which = Selection(kind=EntryKind.COURSE)
        queue_looking.requeue(connection, *name, which, by="pia", reason="it is known now", now=town.clock())
    town.drain()

    assert set(town.counts()) == {DONE}
    assert len(town.there()["courses"][0]["enrollments"]) == 2


def test_an_account_whose_address_somebody_changed_there_is_found_by_its_id(town: Ground) -> None:
    a_class(town, students=1)
    town.drain()
    coursekey = town.sandbox.world.coursekey
    with coursekey.lock:
        [account] = [one for one in coursekey.users.values() if one.issued_id == "2001"]
        names = {"first_name": account.first_name, "last_name": account.last_name}
        coursekey.change_user(account, **names, email="elsewhere@college.example", issued_id="2001")
    town.register(town.section("MTH101/5"), "2001")

    town.run()

    assert account.email == "pia.quill.2001@college.example"
    assert [len(one["enrollments"]) for one in town.there()["courses"]] == [1, 1]
    assert len([one for one in town.there()["users"] if one["issuedID"]]) == 2


# -- two at once, and time --------------------------------------------------------------------------------------------


def test_two_drains_at_once_lose_nothing_and_send_nothing_twice(town: Ground) -> None:
    for number in range(4):
        a_class(town, students=10, name=f"MTH101/{number}", first=2001 + 100 * number)
    results: list[Drained] = []
    both = [threading.Thread(target=lambda: results.append(town.drain(batch=10))) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    town.clock.forward(minutes=5)
    town.drain()

    assert len(results) == 2
    assert set(town.counts()) == {DONE}
    users = [one for one in town.there()["users"] if one["issuedID"]]
    assert (len(users), {one["welcomeMails"] for one in users}) == (44, {1})
    assert [len(one["enrollments"]) for one in town.there()["courses"]] == [10] * 4


def test_entries_of_a_killed_drain_come_back_when_its_lease_is_over(town: Ground) -> None:
    a_class(town)
    with town.store.begin() as connection:
        name = (town.college.key, town.college.coursekey.api_name)
        taken = queue.lease(connection, *name, "killed", 100, town.clock(), TERM)
    assert taken
    assert town.drain().batches == []

    town.clock.forward(minutes=11)
    town.drain()

    assert set(town.counts()) == {DONE}


def test_a_clock_that_jumps_back_keeps_nothing_for_ever(town: Ground) -> None:
    a_class(town)
    town.drain(max_batches=0)
    town.clock.forward(days=-1)
    town.drain()
    town.clock.forward(days=1, minutes=1)
    town.drain()

    assert set(town.counts()) == {DONE}


# -- who is never touched ---------------------------------------------------------------------------------------------


def by_hand(town: Ground, **what: list[dict[str, object]]) -> None:
    """Somebody adds something in CourseKey's own pages."""
    import httpx

    httpx.post(f"{town.sandbox.url}/control/coursekey/by-hand", json=what).raise_for_status()


def test_only_staff_that_we_added_is_taken_off(sandbox: RunningSandbox, tmp_path: Path, clock: Clock) -> None:
    with ground(sandbox, tmp_path, clock, instructor_add_only="N", course_admins="95001") as town:
        town.person(95001, firstName="Ada")
        key = a_class(town)
        town.drain()
        name = town.there()["courses"][0]["name"]
        ta = {"schoolID": "548156", "firstName": "Al", "lastName": "Aide", "isTeacher": 1, "issuedID": "96001"}
        by_hand(
            town,
            users=[{**ta, "email": "al.aide@college.example"}],
            staff=[{"schoolID": "548156", "course": name, "email": "al.aide@college.example"}],
        )
        town.person(96001, firstName="Al", lastName="Aide", email="al.aide@college.example")
        town.teach(key, "96001")
        town.run()
        for person in ("96001", "92001", "95001"):
            town.teach(key, person, isRemoved=True)
        town.collect()
        town.queue(*(staff(key, person) for person in ("96001", "92001", "95001")), intent=Intent.REMOVE)

        town.drain()

        on_staff = [one["email"] for one in town.there()["courses"][0]["staff"]]
        assert on_staff == ["al.aide@college.example", "pia.quill.95001@college.example", OWNER]
        assert {one.entity.person: one.rule for one in town.entries() if one.intent is Intent.REMOVE} == {
            "96001": "not-ours",
            "92001": "removed",
            "95001": "admin-by-setting",
        }


def test_instructors_are_only_added_when_the_setting_says_so(
    sandbox: RunningSandbox, tmp_path: Path, clock: Clock
) -> None:
    with ground(sandbox, tmp_path, clock, instructor_add_only="Y") as town:
        key = a_class(town)
        town.drain()
        town.teach(key, "92001", isRemoved=True)
        town.collect()
        town.queue(staff(key, "92001"), intent=Intent.REMOVE)
        town.drain()

        assert len(town.there()["courses"][0]["staff"]) == 2


def test_a_student_never_gets_an_instructors_rights(sandbox: RunningSandbox, tmp_path: Path, clock: Clock) -> None:
    with ground(sandbox, tmp_path, clock, course_admins="2001") as town:
        key = a_class(town)
        town.teach(key, "2002")
        town.collect()
        town.drain()

        [course] = town.there()["courses"]
        assert {one["issuedID"] for one in course["staff"]} == {"", "92001"}
        assert {one.entity.person for one in town.entries(FAILED)} == {"2001", "2002"}
        assert {one.rule for one in town.entries(FAILED)} == {"student-not-admin"}


def test_added_and_dropped_ends_dropped(town: Ground) -> None:
    key = a_class(town, students=1)
    town.drain()
    town.register(key, "2001", status="dropped")
    town.collect()
    town.queue(enrollment(key, "2001"), intent=Intent.REMOVE)
    town.drain()

    assert [one["isActive"] for one in town.there()["courses"][0]["enrollments"]] == [0]

    town.register(key, town.person(2002))
    town.collect()
    town.register(key, "2002", status="dropped")
    town.collect()
    town.drain()

    assert [one["issuedID"] for one in town.there()["courses"][0]["enrollments"]] == ["2001"]


def test_a_section_that_moved_to_another_school_is_left_to_a_person(town: Ground) -> None:
    key = a_class(town, students=1)
    town.drain()
    town.section(site="WEST")
    town.run()

    assert town.entry(course_of(key)).error_code == "site-changed"
    assert [one["schoolID"] for one in town.there()["courses"]] == ["548156"]


# -- sessions ---------------------------------------------------------------------------------------------------------


def meeting(day: str, *, cancelled: bool = False, ends: str = "10:15") -> dict[str, object]:
    return {"date": day, "startTime": "09:00", "endTime": ends, "isCancelled": cancelled}


def test_sessions_follow_the_meetings_and_the_past_keeps_its_own(town: Ground) -> None:
    days = ("2026-08-31", "2026-09-07", "2026-09-14")
    town.section(meetings=[meeting(day) for day in days])
    town.collect()
    town.drain()
    sessions = town.there()["courses"][0]["sessions"]
    assert [(one["date"], one["startTime"], one["timeZone"]) for one in sessions] == [
        ("08/31/2026", "9:00:00", "US/Eastern"),
        ("09/07/2026", "9:00:00", "US/Eastern"),
        ("09/14/2026", "9:00:00", "US/Eastern"),
    ]

    town.section(meetings=[meeting(days[1], ends="11:00"), meeting(days[2], cancelled=True)])
    town.run()

    sessions = town.there()["courses"][0]["sessions"]
    assert [(one["date"], one["endTime"]) for one in sessions] == [
        ("08/31/2026", "10:15:00"),
        ("09/07/2026", "11:00:00"),
    ]


def test_sections_whose_attendance_name_makes_its_own_sessions_get_none(town: Ground) -> None:
    town.section(enrollmentCode4="FLX", labHours="15.00", meetings=[meeting("2026-09-07")])
    town.collect()
    town.drain()

    assert town.calls()["set session"] == 0
    assert town.calls()["create course"] == 1


# -- passwords --------------------------------------------------------------------------------------------------------


def test_passwords_are_set_where_the_college_says_so_and_kept_nowhere(
    sandbox: RunningSandbox, tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with ground(sandbox, tmp_path, clock, set_user_password="Y") as town:
        a_class(town)
        secrets = {"2001": "Cafe-hunter2", "92001": "Cafe-hunter3"}
        sandbox.world.college.passwords.update(secrets)

        town.drain()

        users = {one["issuedID"]: one["passwordWasSet"] for one in town.there()["users"] if one["issuedID"]}
        assert users == {"2001": True, "2002": False, "92001": True}
        kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        told = "".join(line.outcome.reason for line in town.history())
        for secret in (*secrets.values(), *KEYS):
            assert secret.encode() not in kept
            assert secret not in caplog.text
            assert secret not in told
        for personal in ("pia.quill", "Quill2001"):
            assert personal.encode() not in kept
            assert personal not in caplog.text


def test_a_day_of_change_arrives_and_is_quiet_afterwards(town: Ground) -> None:
    town.sandbox.world.reset(college=SMALL)
    town.collect()
    town.drain()
    town.sandbox.world.play_college_day()
    town.run()
    town.forget_calls()

    assert town.run().batches == []
    assert town.calls() == Counter()


# -- another CourseKey ------------------------------------------------------------------------------------------------


def test_a_class_arrives_at_a_coursekey_with_another_interface(town: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as other:
        connect(monkeypatch, other.url, TOKEN)
        town.hooks = lambda _: CourseKeyHook("coursekey_test", OTHER, sleep=no_waiting)
        key = town.section(meetings=[meeting("2026-09-07")])
        town.teach(key, town.person(9001), isPrimary=True)
        town.register(key, town.person(2001), town.person(2002))
        town.collect()

        town.drain()

        [one] = other.classes.values()
        assert (one["short"], one["mode"]) == ("MTH101 - 4: Intro to Math in Fall 2026", "Lecture")
        assert [person["mail"] for person in one["teachers_"].values()] == [OWNER, "pia.quill.9001@college.example"]
        assert [person["studentNo"] for person in one["learners_"].values()] == ["2001", "2002"]
        assert [(slot["day"], slot["begin"]) for slot in one["slots_"].values()] == [("2026-09-07", "0900")]
        assert set(town.counts()) == {DONE}


def test_where_coursekey_takes_many_a_class_goes_out_in_few_calls_and_one_row_fails_alone(
    town: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as other:
        connect(monkeypatch, other.url, TOKEN)
        town.hooks = lambda _: CourseKeyHook("coursekey_test", OTHER, sleep=no_waiting)
        key = a_class(town, students=7)
        other.poison = "pia.quill.2003@college.example"

        town.drain()

        assert Counter(other.made)["POST learners/many"] == 2
        assert Counter(other.made)["PUT learners"] == 1
        [one] = other.classes.values()
        there = sorted(person["studentNo"] for person in one["learners_"].values())
        assert there == ["2001", "2002", "2004", "2005", "2006", "2007"]
        failed = town.entries(FAILED)
        assert [(entry.entity, entry.error_code) for entry in failed] == [
            (enrollment(key, "2003"), "coursekey-refused")
        ]

        town.register(key, "2001", "2002", "2004", status="dropped")
        town.clock.forward(minutes=1)
        town.collect()
        town.queue(*(enrollment(key, str(number)) for number in (2001, 2002, 2004)), intent=Intent.REMOVE)
        town.drain()

        assert other.made[-1] == "POST learners/gone"
        gone = {person["studentNo"] for person in one["learners_"].values() if person["present"] == "no"}
        assert gone == {"2001", "2002", "2004"}
