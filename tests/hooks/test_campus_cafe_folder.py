"""Campus Cafe as a folder of CSV files: whole when its manifest says so, and only then."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest

from rosterflow.domain.coursekey.campus import Meeting, Person, Reading, Registration, Resource, Section, Standing
from rosterflow.domain.errors import Code, FatalError, RetryableError
from rosterflow.hooks.campus_cafe_folder import CampusCafeFolder

FILES = {
    "semesters.csv": "code,description,beginDate,endDate,modifiedAt\n202610,Fall 2026,2026-08-24,2026-12-18,\n",
    "sections.csv": (
        "semester,courseNumber,section,title,site,beginDate,endDate,startTime,endTime,days,enrollmentCode4,"
        "contactHours,labHours,excludeFromLms,isCancelled,modifiedAt\n"
        '202610,MTH101,4,"Math, an Introduction",MAIN,2026-08-31,2026-12-18,09:00,10:15,Monday|Wednesday,LEC,'
        "30.50,,false,false,2026-09-01T03:00:00Z\n"
    ),
    "meetings.csv": (
        "semester,courseNumber,section,date,startTime,endTime,isCancelled\n"
        "202610,MTH101,4,2026-08-31,09:00,10:15,true\n202610,MTH101,5,2026-08-31,09:00,10:15,false\n"
    ),
    "persons.csv": (
        "id,firstName,lastName,email,modifiedAt\n2001,Pía,Quill,pia@college.example,2026-09-01T03:00:00Z\n"
    ),
    "staff.csv": (
        "semester,courseNumber,section,personId,isPrimary,isRemoved,modifiedAt\n202610,MTH101,4,9001,true,false,\n"
    ),
    "registrations.csv": (
        "semester,courseNumber,section,personId,status,registeredAt,droppedOn,startOverride,endOverride,modifiedAt\n"
        "202610,MTH101,4,2001,registered,,,,,2026-09-01T03:00:00Z\n"
        "202610,MTH101,4,2002,dropped,,2026-09-02,,,2026-09-02T03:00:00Z\n"
        "202620,MTH101,4,2003,registered,,,,,2026-09-02T03:00:00Z\n"
    ),
}
WRITTEN = 1_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, FILES)
    return tmp_path


def write(folder: Path, files: dict[str, str], rows: dict[str, int] | None = None) -> None:
    """The college's job: files, and last of all the manifest."""
    for name, text in files.items():
        put(folder, name, text.encode(), WRITTEN)
    counted = {name: text.count("\n") - 1 for name, text in files.items()}
    manifest = {"written_at": "2026-09-02T03:00:00Z", "rows": {**counted, **(rows or {})}}
    put(folder, "manifest.json", json.dumps(manifest).encode(), WRITTEN + 1)


def put(folder: Path, name: str, data: bytes, at: int = WRITTEN) -> None:
    (folder / name).write_bytes(data)
    os.utime(folder / name, (at, at))


def read(folder: Path, resource: Resource, since: datetime | None = None, *semesters: str) -> Reading:
    return CampusCafeFolder(folder).read(resource, modified_since=since, semesters=semesters)


def test_a_section_has_the_meetings_of_their_own_file(folder: Path) -> None:
    assert read(folder, Resource.SECTIONS) == Reading(
        Resource.SECTIONS,
        (
            Section(
                "202610",
                "MTH101",
                "4",
                "Math, an Introduction",
                "MAIN",
                date(2026, 8, 31),
                date(2026, 12, 18),
                time(9),
                time(10, 15),
                ("Monday", "Wednesday"),
                "LEC",
                Decimal("30.50"),
                meetings=(Meeting(date(2026, 8, 31), time(9), time(10, 15), is_cancelled=True),),
                modified_at=datetime(2026, 9, 1, 3, tzinfo=UTC),
            ),
        ),
    )


def test_every_resource_is_read_whole(folder: Path) -> None:
    assert [(one, len(read(folder, one).records), read(folder, one).is_whole) for one in Resource] == [
        (Resource.SEMESTERS, 1, True),
        (Resource.SECTIONS, 1, True),
        (Resource.PERSONS, 1, True),
        (Resource.STAFF, 1, True),
        (Resource.REGISTRATIONS, 3, True),
    ]


def test_changes_and_semesters_are_picked_out_of_the_file(folder: Path) -> None:
    found = read(folder, Resource.REGISTRATIONS, datetime(2026, 9, 2, 3, tzinfo=UTC), "202610")

    assert found.records == (
        Registration(
            "202610",
            "MTH101",
            "4",
            "2002",
            Standing.DROPPED,
            dropped_on=date(2026, 9, 2),
            modified_at=datetime(2026, 9, 2, 3, tzinfo=UTC),
        ),
    )


def test_of_two_rows_about_the_same_the_newer_one_counts(folder: Path) -> None:
    name = "registrations.csv"
    again = "202610,MTH101,4,2001,dropped,,2026-08-30,,,2026-08-30T03:00:00Z\n202610,MTH101,4,2001,waitlisted,,,,,,\n"
    write(folder, {name: FILES[name] + again.replace(",,,,,,", ",,,,,")})

    rows = read(folder, Resource.REGISTRATIONS).records

    [newest] = {one.person: one for one in rows if isinstance(one, Registration) and one.person == "2001"}.values()
    assert newest.standing is Standing.REGISTERED


def test_a_file_may_begin_with_a_byte_order_mark(folder: Path) -> None:
    put(folder, "persons.csv", b"\xef\xbb\xbf" + FILES["persons.csv"].encode())

    [person] = read(folder, Resource.PERSONS).records
    assert isinstance(person, Person)
    assert person.first_name == "Pía"


def test_columns_may_be_padded_with_blanks(folder: Path) -> None:
    padded = {
        name: "".join(f"{line.replace(',', '  , ')}  \r\n" for line in text.splitlines())
        for name, text in FILES.items()
        if '"' not in text
    }
    plain = {resource: read(folder, resource) for resource in Resource}

    write(folder, FILES | padded)

    assert {resource: read(folder, resource) for resource in Resource} == plain


NAME = "persons.csv"
ROW = FILES[NAME]
HEADER = ROW.splitlines()[0]


@pytest.mark.parametrize(
    ("text", "records", "gaps"),
    [
        (
            ROW[:-20],
            0,
            ["persons.csv ends in the middle of a line", "persons.csv has 0 rows, and the manifest counts 1"],
        ),
        (f"{HEADER}\n", 0, ["persons.csv has 0 rows, and the manifest counts 1"]),
        ("", 0, ["persons.csv has 0 rows, and the manifest counts 1"]),
        (
            f"{ROW}2002,Al,Short\n",
            1,
            ["persons.csv has 1 lines with another number of cells than its header"],
        ),
        (
            "id,firstName,email,lastName,email\n2001,Pia,old@college.example,Quill,pia@college.example\n",
            1,
            ["persons.csv has the column email twice"],
        ),
        (f'{HEADER}\n2001,"Pia,Quill,x,\n', 0, ["persons.csv is no CSV file"]),
        ("id,firstName\n2001,P\xeda\n", 0, ["persons.csv is not UTF-8"]),
    ],
)
def test_a_file_that_is_not_whole_says_why(folder: Path, text: str, records: int, gaps: list[str]) -> None:
    put(folder, NAME, text.encode("latin-1" if "UTF-8" in gaps[0] else "utf-8"))

    found = read(folder, Resource.PERSONS)

    assert (len(found.records), list(found.gaps)) == (records, gaps)


def test_a_file_that_is_newer_than_the_manifest_is_not_whole(folder: Path) -> None:
    put(folder, NAME, ROW.encode(), WRITTEN + 2)

    found = read(folder, Resource.PERSONS)

    assert (len(found.records), found.gaps) == (1, ("persons.csv is newer than manifest.json",))


@pytest.mark.parametrize("data", [None, b"{", b'{"rows": {"persons.csv": "one"}}'])
def test_without_a_manifest_nothing_is_whole(folder: Path, data: bytes | None) -> None:
    if data is None:
        (folder / "manifest.json").unlink()
    else:
        put(folder, "manifest.json", data, WRITTEN + 1)

    found = read(folder, Resource.PERSONS)

    assert len(found.records) == 1
    assert not found.is_whole


def test_meetings_that_are_not_whole_make_the_sections_not_whole(folder: Path) -> None:
    put(folder, "meetings.csv", FILES["meetings.csv"][:-10].encode())

    assert not read(folder, Resource.SECTIONS).is_whole


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            (",Quill,pia@college.example,2026-09-01T03:00:00Z", ",Quill,pia@college.example,yesterday"),
            "2001: modifiedAt",
        ),
        ((",2026-09-01T03:00:00Z", ",2026-09-01T03:00:00"), "2001: modifiedAt has no time zone"),
        (("2001,", ","), "?: id is missing"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_its_key_alone(
    folder: Path, change: tuple[str, str], problem: str
) -> None:
    put(folder, NAME, ROW.replace(*change).encode())

    found = read(folder, Resource.PERSONS)

    assert found.records == ()
    [told] = found.problems
    assert told.startswith(f"persons.csv: {problem}")
    assert "pia" not in told


def test_a_folder_or_a_file_that_is_not_there_is_an_error(folder: Path) -> None:
    (folder / NAME).unlink()

    with pytest.raises(RetryableError) as missing:
        read(folder, Resource.PERSONS)
    with pytest.raises(FatalError) as nowhere:
        read(folder / "nowhere", Resource.PERSONS)

    assert (missing.value.code, nowhere.value.code) == (Code.ROWS_MISSING, Code.CONNECTION_INVALID)


def test_passwords_are_in_no_file(folder: Path) -> None:
    assert CampusCafeFolder(folder).initial_password("2001") is None
