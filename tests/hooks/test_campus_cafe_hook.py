"""Campus Cafe over HTTP against the sandbox: whole reads, changes, and reads that are not whole."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from rosterflow.domain.coursekey.campus import (
    Meeting,
    Person,
    Reading,
    Registration,
    Resource,
    Section,
    Semester,
    Standing,
    Teaching,
)
from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError
from rosterflow.hooks.campus_cafe import CampusCafeHook
from sandbox.faults import Fault
from sandbox.serving import RunningSandbox
from sandbox.world import Settings, World

TOKEN = "sandbox-campuscafe-token"
EMPTY = "sections=0,students=0,registrations=0,instructors=1,awkward=0"
KEY: dict[str, Any] = {"semester": "202610", "courseNumber": "MTH101", "section": "4"}
EARLY, LATE = datetime(2026, 9, 1, 3, tzinfo=UTC), datetime(2026, 9, 2, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with RunningSandbox(World(Settings(size="small", college=EMPTY))) as sandbox:
        yield sandbox


def connect(monkeypatch: pytest.MonkeyPatch, host: str, password: str = TOKEN) -> None:
    value = {"conn_type": "campus_cafe", "host": host, "password": password}
    monkeypatch.setenv("AIRFLOW_CONN_CAMPUS_TEST", json.dumps(value))


@pytest.fixture
def sandbox(running: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> RunningSandbox:
    running.world.reset()
    connect(monkeypatch, f"{running.url}/campuscafe")
    return running


def put(sandbox: RunningSandbox, resource: str, at: datetime = EARLY, **record: object) -> None:
    sandbox.world.college.put(resource, {**record, "modifiedAt": at.strftime("%Y-%m-%dT%H:%M:%SZ")})


def people(sandbox: RunningSandbox, count: int) -> None:
    for number in range(count):
        put(sandbox, "registrations", **KEY, personId=f"20{number:02}")


def arm(sandbox: RunningSandbox, kind: str, count: int | None = 1, match: str = "", after: int = 0) -> None:
    sandbox.world.faults.add(Fault("campuscafe", kind, count=count, match=match, after=after))


def read(resource: Resource, since: datetime | None = None, *semesters: str, page_size: int = 500) -> Reading:
    with CampusCafeHook("campus_test", page_size=page_size, sleep=lambda _: None) as hook:
        return hook.read(resource, modified_since=since, semesters=semesters)


def problem(call: Callable[[], object]) -> RosterflowError:
    with pytest.raises(RosterflowError) as caught:
        call()
    assert TOKEN not in f"{caught.value!r}{caught.value}"
    return caught.value


# -- what is read -----------------------------------------------------------------------------------------------------


def test_a_section_has_its_dates_hours_and_meetings(sandbox: RunningSandbox) -> None:
    put(
        sandbox,
        "sections",
        **KEY,
        title="Intro to Math",
        site="MAIN",
        beginDate="2026-08-31",
        endDate="2026-12-18",
        startTime="09:00",
        endTime="10:15",
        days=["Monday", "Wednesday"],
        enrollmentCode4="LEC",
        contactHours="30.50",
        labHours="15.00",
        excludeFromLms=True,
        meetings=[{"date": "2026-08-31", "startTime": "09:00", "endTime": "10:15", "isCancelled": True}],
    )

    assert read(Resource.SECTIONS).records == (
        Section(
            "202610",
            "MTH101",
            "4",
            "Intro to Math",
            "MAIN",
            date(2026, 8, 31),
            date(2026, 12, 18),
            time(9),
            time(10, 15),
            ("Monday", "Wednesday"),
            "LEC",
            Decimal("30.50"),
            Decimal("15.00"),
            is_excluded=True,
            meetings=(Meeting(date(2026, 8, 31), time(9), time(10, 15), is_cancelled=True),),
            modified_at=EARLY,
        ),
    )


def test_people_staff_and_registrations_are_read(sandbox: RunningSandbox) -> None:
    put(sandbox, "persons", id="2001", firstName="Pia", lastName="Quill", email="pia@college.example")
    put(sandbox, "staff", **KEY, personId="9001", isPrimary=True, isRemoved=True)
    put(sandbox, "registrations", **KEY, personId="2001", status="dropped", droppedOn="2026-09-01")

    assert Person("2001", "Pia", "Quill", "pia@college.example", EARLY) in read(Resource.PERSONS).records
    assert read(Resource.STAFF).records == (Teaching("202610", "MTH101", "4", "9001", True, True, EARLY),)
    assert read(Resource.REGISTRATIONS).records == (
        Registration(
            "202610",
            "MTH101",
            "4",
            "2001",
            Standing.DROPPED,
            dropped_on=date(2026, 9, 1),
            modified_at=EARLY,
        ),
    )


def test_semesters_are_read_with_the_catalog(sandbox: RunningSandbox) -> None:
    found = {one.code: one for one in read(Resource.SEMESTERS).records if isinstance(one, Semester)}

    assert found["999999"] == Semester("999999", "Catalog")
    assert found["202610"].description == "Fall 2026"


def test_what_is_blank_is_for_the_rules_to_judge(sandbox: RunningSandbox) -> None:
    put(sandbox, "sections", **KEY)

    assert read(Resource.SECTIONS) == Reading(
        Resource.SECTIONS, (Section("202610", "MTH101", "4", "", "", modified_at=EARLY),)
    )


def test_changes_are_those_since_a_moment_and_the_moment_counts(sandbox: RunningSandbox) -> None:
    for number, at in enumerate((EARLY, LATE)):
        put(sandbox, "registrations", at, **KEY, personId=f"200{number}")

    assert [one.person for one in read(Resource.REGISTRATIONS, LATE).records if isinstance(one, Registration)] == [
        "2001"
    ]
    assert len(read(Resource.REGISTRATIONS, EARLY).records) == 2


def test_only_the_semesters_that_are_asked_for_are_read(sandbox: RunningSandbox) -> None:
    for semester in ("202510", "202610", "202620"):
        put(sandbox, "registrations", **{**KEY, "semester": semester}, personId="2001")

    found = read(Resource.REGISTRATIONS, None, "202610", "202620")

    assert sorted(one.semester for one in found.records if isinstance(one, Registration)) == ["202610", "202620"]
    assert found.is_whole


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
def test_every_page_is_read(sandbox: RunningSandbox, count: int) -> None:
    people(sandbox, count)

    found = read(Resource.REGISTRATIONS, page_size=2)

    assert (len(found.records), found.is_whole) == (count, True)


# -- what is not whole ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["drop_page", "repeated_page", "total_high"])
def test_a_list_that_does_not_fit_is_read_again_and_is_then_whole(sandbox: RunningSandbox, kind: str) -> None:
    people(sandbox, 5)
    arm(sandbox, kind, match="page=2&" if kind == "drop_page" else "", after=0)

    assert read(Resource.REGISTRATIONS, page_size=2).is_whole


@pytest.mark.parametrize("kind", ["drop_page", "repeated_page", "total_high"])
def test_a_list_that_never_fits_has_a_gap(sandbox: RunningSandbox, kind: str) -> None:
    people(sandbox, 5)
    arm(sandbox, kind, count=None)

    found = read(Resource.REGISTRATIONS, page_size=2)

    assert not found.is_whole
    assert found.gaps[0].startswith("registrations: ")


def test_a_record_that_moves_to_the_end_while_the_list_is_read_hides_no_other(sandbox: RunningSandbox) -> None:
    people(sandbox, 5)
    with Interrupted("campus_test", page_size=2, sleep=lambda _: None) as hook:
        hook.between = lambda: put(sandbox, "registrations", LATE, **KEY, personId="2000", status="dropped")
        found = hook.read(Resource.REGISTRATIONS, modified_since=None, semesters=())

    assert found.is_whole
    assert {one.person for one in found.records if isinstance(one, Registration)} == {
        f"200{number}" for number in range(5)
    }


class Interrupted(CampusCafeHook):
    """Somebody changes something after the first page that is read."""

    between: Callable[[], None] | None = None

    def once(self, method: str, path: str, query: Mapping[str, Any], body: object = None) -> dict[str, Any]:
        answer = super().once(method, path, query, body)
        if self.between is not None:
            between, self.between = self.between, None
            between()
        return answer


def test_rows_without_a_name_are_no_gap_each_time_they_come(sandbox: RunningSandbox) -> None:
    people(sandbox, 6)
    arm(sandbox, "null_row", count=None)

    found = read(Resource.REGISTRATIONS, page_size=2)

    assert (len(found.records), found.gaps, len(found.problems)) == (3, (), 1)


def test_a_later_page_that_fails_is_a_gap_and_what_came_is_kept(sandbox: RunningSandbox) -> None:
    people(sandbox, 5)
    arm(sandbox, "500", count=None, match="page=2")

    found = read(Resource.REGISTRATIONS, page_size=2)

    assert (len(found.records), found.gaps) == (
        2,
        ("registrations: page 2 of 3 could not be read (server-error)",),
    )


@pytest.mark.parametrize("kind", ["null_row", "broken_row"])
def test_a_row_that_cannot_be_used_is_a_problem_without_anybodys_data(sandbox: RunningSandbox, kind: str) -> None:
    for number in range(3):
        mail = f"pia{number}@college.example"
        put(sandbox, "persons", id=f"200{number}", firstName="Pia", lastName="Quill", email=mail)
    arm(sandbox, kind, count=None)

    found = read(Resource.PERSONS)

    assert not found.is_whole
    assert found.gaps == ()
    [told] = found.problems
    assert told in ("persons: ?: id is missing", f"persons: {told.split()[1][:-1]}: modifiedAt cannot be read")
    assert "pia" not in told


# -- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["500", "503", "429", "html", "truncate", "drop_before", "drop_after"])
def test_a_page_is_asked_for_again(sandbox: RunningSandbox, kind: str) -> None:
    people(sandbox, 1)
    arm(sandbox, kind, count=2)

    assert read(Resource.REGISTRATIONS).is_whole


def test_when_the_first_page_does_not_come_nothing_is_read(sandbox: RunningSandbox) -> None:
    arm(sandbox, "503", count=None)

    error = problem(lambda: read(Resource.PERSONS))

    assert (type(error), error.code) == (RetryableError, Code.SERVER_ERROR)


@pytest.mark.parametrize(
    ("host", "password", "code"),
    [
        ("{}/campuscafe", "wrong", Code.UNAUTHORIZED),
        ("{}/campuscafe", "", Code.CONNECTION_INVALID),
        ("{}/elsewhere", TOKEN, Code.BAD_RESPONSE),
        ("", TOKEN, Code.CONNECTION_INVALID),
    ],
)
def test_a_wrong_connection_says_what_is_wrong(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, host: str, password: str, code: Code
) -> None:
    connect(monkeypatch, host.format(sandbox.url), password)

    error = problem(lambda: read(Resource.PERSONS))

    assert isinstance(error, FatalError)
    assert error.code is code


def test_a_connection_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_CAMPUS_TEST", raising=False)

    assert problem(lambda: read(Resource.PERSONS)).code is Code.CONNECTION_MISSING


def test_an_initial_password_is_told_and_its_address_is_not_logged(
    sandbox: RunningSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox.world.college.passwords["2001"] = "hunter2"

    with CampusCafeHook("campus_test") as hook:
        told = hook.initial_password("2001"), hook.initial_password("2002")

    assert told == ("hunter2", None)
    assert "hunter2" not in caplog.text
    assert "2001" not in caplog.text


def test_the_test_button_says_what_works(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    assert CampusCafeHook("campus_test").test_connection() == (
        True,
        "Reached Campus Cafe and authenticated; it has 4 semesters.",
    )

    connect(monkeypatch, f"{sandbox.url}/campuscafe", "wrong")
    works, sentence = CampusCafeHook("campus_test").test_connection()
    assert (works, sentence.split(".")[0]) == (False, "Campus Cafe does not accept the token (/semesters)")
