"""Reading the schools of an auth key against the sandbox: what is kept of it, and when it is not whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography.fernet import Fernet

from rosterflow.domain.attendance.ledger import ReadOf
from rosterflow.domain.attendance.reading import KeptRead
from rosterflow.domain.attendance.records import Status, TimeRecord
from rosterflow.domain.coursekey.sites import School
from rosterflow.domain.errors import Code, FatalError
from rosterflow.store import attendance_raw, migrate
from rosterflow.store.engine import Store
from rosterflow.sync.attendance_reading import Evidence, Opened, SchoolRead, auth_keys, plain, read_from, read_key
from rosterflow.sync.pages import PageStore
from sandbox.serving import RunningSandbox
from tests.hooks.export_sandbox import (
    FIRST,
    LAST,
    MAIN,
    NORTH,
    NORTH_RECORDS,
    RECORDS,
    WEST,
    arm,
    attended,
    connect,
    control,
    hook_of,
    pages,
)
from tests.scenarios.drain_ground import college

EASTERN = ZoneInfo("US/Eastern")
SCHOOLS = tuple(School(alias, "coursekey_test", school, EASTERN) for alias, school in (("1-1", MAIN), ("1-2", NORTH)))
NOW = datetime(2026, 8, 29, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with attended() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> RunningSandbox:
    running.world.faults.clear()
    connect(monkeypatch, running)
    return running


@pytest.fixture
def evidence(tmp_path: Path) -> Iterator[Evidence]:
    key = Fernet.generate_key().decode()
    store = Store(f"sqlite:///{tmp_path}/store.db", [key])
    migrate.upgrade(store)
    yield Evidence(store, PageStore(f"file://{tmp_path}/blobs", [key]), "college", 7)
    store.dispose()


def read(evidence: Evidence, *schools: School) -> list[SchoolRead]:
    return read_key(hook_of(), schools or SCHOOLS, FIRST, LAST, evidence, lambda: NOW)


def opened(evidence: Evidence, kept: KeptRead) -> Opened:
    return Opened(kept, lambda page: evidence.blobs.get_bytes(page.name))


def records(evidence: Evidence, kept: KeptRead) -> tuple[list[TimeRecord], Opened]:
    opening = opened(evidence, kept)
    return list(opening.records()), opening


def test_every_school_of_a_key_is_read_and_its_pages_are_kept_unchanged(
    sandbox: RunningSandbox, evidence: Evidence
) -> None:
    first, second = read(evidence)
    kept = first.kept
    bodies = [page.body for page in pages()]
    assert (kept.alias, kept.school, kept.zone, kept.read_at) == ("1-1", MAIN, "US/Eastern", NOW)
    assert (kept.first, kept.last, kept.rows, kept.gaps) == (FIRST, LAST, RECORDS, ())
    assert [page.sha256 for page in kept.pages] == [hashlib.sha256(body).hexdigest() for body in bodies]
    assert [evidence.blobs.get_bytes(page.name) for page in kept.pages] == bodies
    assert (second.kept.school, second.kept.rows, second.error) == (NORTH, NORTH_RECORDS, None)


def test_a_read_opens_page_by_page_to_its_records(sandbox: RunningSandbox, evidence: Evidence) -> None:
    (one,) = read(evidence, SCHOOLS[0])
    found, opening = records(evidence, one.kept)
    assert len({record.record_id for record in found}) == RECORDS
    assert (opening.problems, opening.gaps, opening.is_whole) == ([], [], True)
    assert one.kept.read_of(7) == ReadOf(7, NOW, FIRST, LAST, is_whole=True)


def test_a_read_goes_from_task_to_task_as_plain_values(sandbox: RunningSandbox, evidence: Evidence) -> None:
    (one,) = read(evidence, SCHOOLS[0])
    assert read_from(plain(one.kept)) == one.kept


@pytest.mark.parametrize(
    ("kind", "pages_kept", "gap"),
    [
        ("500", 1, "page 2 could not be read (server-error)"),
        ("drop_page", 3, "page 2 came without a record"),
        ("repeated_cursor", 2, "page 3 could not be read (cursor-repeated)"),
    ],
)
def test_a_page_that_does_not_come_makes_its_school_not_whole_and_no_other(
    sandbox: RunningSandbox, evidence: Evidence, kind: str, pages_kept: int, gap: str
) -> None:
    count = None if kind == "500" else 1
    arm(sandbox, kind, count=count, match=f"schoolID={MAIN}&from=2026-08-24&to=2026-08-28&cursor=from-5")

    first, second = read(evidence)

    assert (len(first.kept.pages), first.kept.gaps) == (pages_kept, (gap,))
    assert not first.kept.read_of(7).is_whole
    assert second.kept.gaps == ()
    assert not records(evidence, first.kept)[1].is_whole


def test_a_school_that_the_key_may_not_use_does_not_stop_the_next(sandbox: RunningSandbox, evidence: Evidence) -> None:
    foreign = School("1-3", "coursekey_test", WEST, EASTERN)

    first, second = read(evidence, foreign, SCHOOLS[1])

    assert (first.kept.pages, first.kept.gaps) == ((), ("page 1 could not be read (forbidden)",))
    assert isinstance(first.error, FatalError)
    assert (second.kept.rows, second.error) == (NORTH_RECORDS, None)


def test_a_malformed_record_is_an_error_line_and_was_seen_all_the_same(
    sandbox: RunningSandbox, evidence: Evidence
) -> None:
    arm(sandbox, "broken_row")
    (one,) = read(evidence, SCHOOLS[0])

    found, opening = records(evidence, one.kept)

    broken = [record for record in found if record.status is Status.UNREADABLE]
    assert (len(found), len(broken)) == (RECORDS, 1)
    assert opening.problems == [f"page 1, record 1 ({broken[0].record_id}): timeAwarded cannot be read"]
    assert opening.is_whole


def test_a_record_that_is_none_leaves_the_read_not_whole(sandbox: RunningSandbox, evidence: Evidence) -> None:
    arm(sandbox, "null_row")
    (one,) = read(evidence, SCHOOLS[0])

    found, opening = records(evidence, one.kept)

    assert len(found) == RECORDS - 1
    assert opening.gaps == ["page 1, record 1 does not say whose it is"]
    assert not one.kept.read_of(7, tuple(opening.gaps)).is_whole


def test_an_empty_export_is_whole(sandbox: RunningSandbox, evidence: Evidence) -> None:
    arm(sandbox, "empty_list")
    (one,) = read(evidence, SCHOOLS[0])
    assert ([page.rows for page in one.kept.pages], one.kept.gaps) == ([0], ())


def test_a_page_that_is_not_as_it_was_read_is_never_opened(sandbox: RunningSandbox, evidence: Evidence) -> None:
    (one,) = read(evidence, SCHOOLS[0])
    name = one.kept.pages[1].name
    evidence.blobs.put_bytes(name, evidence.blobs.get_bytes(name).replace(b"4500", b"9000"))

    with pytest.raises(FatalError) as caught:
        records(evidence, one.kept)

    assert caught.value.code is Code.ROWS_MISSING


def test_two_reads_of_a_school_are_kept_apart(sandbox: RunningSandbox, evidence: Evidence) -> None:
    (before,) = read(evidence, SCHOOLS[0])
    rows = control(sandbox, "POST", "/control/coursekey/adjust", {"kind": "raise", "count": 1})
    later = NOW.replace(minute=31)
    (after,) = read_key(hook_of(), SCHOOLS[:1], FIRST, LAST, evidence, lambda: later)

    assert rows
    assert not {page.name for page in before.kept.pages} & {page.name for page in after.kept.pages}
    changed = set(records(evidence, after.kept)[0]) - set(records(evidence, before.kept)[0])
    assert len(changed) == 1


def test_only_what_came_into_the_ledger_is_gone_through_again(sandbox: RunningSandbox, evidence: Evidence) -> None:
    first, second = read(evidence)
    with evidence.store.begin() as connection:
        attendance_raw.joined(connection, second.kept.number, is_whole=False, now=NOW)
        assert list(attendance_raw.joined_reads(connection, "college")) == [
            attendance_raw.Joined(second.kept, 7, is_whole=False)
        ]
        assert list(attendance_raw.joined_reads(connection, "college", MAIN)) == []
        attendance_raw.joined(connection, first.kept.number, is_whole=True, now=NOW)
        assert attendance_raw.last_whole_day(connection, "college", MAIN) == LAST
        assert attendance_raw.last_whole_day(connection, "college", NORTH) is None
        assert attendance_raw.purge(connection, "college", NOW) == 0
        assert attendance_raw.purge(connection, "college", NOW.replace(hour=10)) == 2


@pytest.mark.parametrize(
    ("windows", "since", "reached"),
    [
        ([], 1, None),
        ([(1, 3)], 1, 3),
        ([(4, 6), (1, 3)], 1, 6),
        ([(1, 9), (2, 3)], 1, 9),
        ([(1, 3), (5, 9)], 1, 3),
        ([(1, 3), (5, 9)], 4, 3),
        ([(1, 3), (5, 9)], 5, 9),
        ([(1, 3), (5, 9), (11, 12)], 5, 9),
    ],
)
def test_a_day_that_was_not_read_whole_is_missing_whatever_was_read_after_it(
    evidence: Evidence, windows: list[tuple[int, int]], since: int, reached: int | None
) -> None:
    with evidence.store.begin() as connection:
        for first, last in windows:
            days = (date(2026, 9, first), date(2026, 9, last))
            kept = attendance_raw.keep(connection, "college", 7, KeptRead("1-1", MAIN, "US/Eastern", NOW, *days))
            attendance_raw.joined(connection, kept.number, is_whole=True, now=NOW)
        found = attendance_raw.last_whole_day(connection, "college", MAIN, date(2026, 9, since))
    assert found == (date(2026, 9, reached) if reached else None)


def test_a_key_is_read_once_whatever_its_pairs(sandbox: RunningSandbox) -> None:
    keys = auth_keys(college(sandbox.url))
    assert [(key.connection, key.aliases, [one.school_id for one in key.schools]) for key in keys] == [
        ("coursekey_demo_1", "1-1, 1-2", [MAIN, NORTH]),
        ("coursekey_demo_2", "1-3", [WEST]),
    ]
