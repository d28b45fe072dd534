"""Canvas's provisioning report, as one CSV or a zip, becomes objects."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime

import pytest

from rosterflow.domain.errors import Code, RetryableError
from rosterflow.domain.model import Account, CanvasObject, Course, Section, State, Term
from rosterflow.wire.provisioning_csv import made_by_hand, objects_of

ACCOUNTS = """canvas_account_id,account_id,canvas_parent_id,parent_account_id,name,status,created_by_sis
2,FSDEMO,1,,Demohøgskolen,active,false
3,184_12_0_0,2,FSDEMO,"Institutt for ""ære"", øl & åndsliv",active,true
4,184_13_0_0,2,FSDEMO,Nedlagt,deleted,true
5,,1,,Laget for hånd,active,false
"""
TERMS = """canvas_term_id,term_id,name,status,start_date,end_date,created_by_sis
1,,Default Term,active,,,false
2,2026_HØST,Høst 2026,active,2026-08-09T22:00:00Z,2027-01-19T22:59:59Z,true
"""
COURSES = (
    "canvas_course_id,course_id,integration_id,short_name,long_name,canvas_account_id,account_id,canvas_term_id,term_id,"
    "status,start_date,end_date,course_format,canvas_blueprint_course_id,blueprint_course_id,created_by_sis\n"
    '1,UE_1,,ØV-1,"Øving, del 1",3,184_12_0_0,2,2026_HØST,unpublished,,2026-12-20 22:59:59 UTC,,,,true\n'
    "2,UE_2,,ØV-2,Null,3,184_12_0_0,1,,active,,,,,,true\n"
    "3,UE_3,,ØV-3,NA,3,184_12_0_0,2,2026_HØST,concluded,,,,,,true\n"
    "4,UE_4,,ØV-4,004,3,184_12_0_0,2,2026_HØST,deleted,,,,,,true\n"
)
SECTIONS = (
    "canvas_section_id,section_id,canvas_course_id,course_id,integration_id,name,status,start_date,end_date,"
    "canvas_account_id,account_id,created_by_sis\n"
    "1,UA_1,1,UE_1,,Gruppe «1»,active,,,3,184_12_0_0,true\n"
    "2,UA_2,1,UE_1,,Gruppe 2,deleted,,,3,184_12_0_0,true\n"
    "3,,1,UE_1,,Laget for hånd,active,,,3,184_12_0_0,false\n"
)


def zipped(**files: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.csv", content)
    return out.getvalue()


def found(report: bytes) -> list[CanvasObject]:
    return list(objects_of(report))


def test_one_kind_comes_as_a_single_csv() -> None:
    assert found(ACCOUNTS.encode()) == [
        Account("FSDEMO", "Demohøgskolen", ""),
        Account("184_12_0_0", 'Institutt for "ære", øl & åndsliv', "FSDEMO"),
        Account("184_13_0_0", "Nedlagt", "FSDEMO", State.DELETED),
    ]


def test_several_kinds_come_as_a_zip() -> None:
    report = zipped(accounts=ACCOUNTS, terms=TERMS, courses=COURSES, sections=SECTIONS)

    assert [thing.sis_id for thing in found(report)] == [
        "FSDEMO",
        "184_12_0_0",
        "184_13_0_0",
        "2026_HØST",
        "UE_1",
        "UE_2",
        "UE_3",
        "UE_4",
        "UA_1",
        "UA_2",
    ]


def test_terms_have_their_dates_in_utc_and_the_default_term_has_no_id_of_ours() -> None:
    start, end = datetime(2026, 8, 9, 22, tzinfo=UTC), datetime(2027, 1, 19, 22, 59, 59, tzinfo=UTC)

    assert found(TERMS.encode()) == [Term("2026_HØST", "Høst 2026", start, end)]


def test_published_or_not_a_course_is_active_and_the_default_term_is_none() -> None:
    end = datetime(2026, 12, 20, 22, 59, 59, tzinfo=UTC)

    assert found(COURSES.encode()) == [
        Course("UE_1", "ØV-1", "Øving, del 1", "184_12_0_0", "2026_HØST", None, end),
        Course("UE_2", "ØV-2", "Null", "184_12_0_0"),
        Course("UE_3", "ØV-3", "NA", "184_12_0_0", "2026_HØST", state=State.COMPLETED),
        Course("UE_4", "ØV-4", "004", "184_12_0_0", "2026_HØST", state=State.DELETED),
    ]


def test_sections_made_by_hand_have_no_id_and_are_left_out() -> None:
    assert found(SECTIONS.encode()) == [
        Section("UA_1", "Gruppe «1»", "UE_1"),
        Section("UA_2", "Gruppe 2", "UE_1", State.DELETED),
    ]


def test_what_no_import_made_is_told_apart_and_goes_by_canvass_id_where_it_has_none_of_ours() -> None:
    assert list(made_by_hand(zipped(accounts=ACCOUNTS, courses=COURSES, sections=SECTIONS))) == [
        Account("FSDEMO", "Demohøgskolen", ""),
        Account("(Canvas 5)", "Laget for hånd", ""),
        Section("(Canvas 3)", "Laget for hånd", "UE_1"),
    ]


def test_a_report_of_nothing_lists_nothing() -> None:
    assert found(SECTIONS.splitlines()[0].encode()) == []


def test_a_file_with_unknown_columns_is_no_report() -> None:
    with pytest.raises(RetryableError, match=r"file odd\.csv with unknown columns") as caught:
        found(zipped(odd="one,two\n1,2\n"))

    assert caught.value.code is Code.BAD_RESPONSE


@pytest.mark.parametrize("body", [b"", b"<!doctype html><h1>We will be back soon</h1>", b"PK\x03\x04 cut off"])
def test_what_is_no_csv_at_all_is_no_report(body: bytes) -> None:
    with pytest.raises(RetryableError) as caught:
        found(body)

    assert caught.value.code is Code.BAD_RESPONSE


def test_a_status_that_nobody_knows_is_not_guessed() -> None:
    with pytest.raises(RetryableError, match="unknown status 'parked'"):
        found(ACCOUNTS.replace("deleted", "parked").encode())


def test_a_row_that_was_cut_off_is_no_row() -> None:
    with pytest.raises(RetryableError):
        found(SECTIONS[: SECTIONS.index("«1»")].encode())


def test_a_report_that_ends_inside_a_quoted_name_is_broken() -> None:
    with pytest.raises(RetryableError, match="broken file"):
        found(ACCOUNTS[: ACCOUNTS.index(' ""ære""')].encode())


def test_a_byte_order_mark_is_no_part_of_the_first_column() -> None:
    assert found(b"\xef\xbb\xbf" + SECTIONS.encode()) == found(SECTIONS.encode())


def test_of_a_report_only_what_is_asked_for_is_taken_and_one_more_to_tell_that_the_kind_is_listed() -> None:
    report = zipped(courses=COURSES, sections=SECTIONS)

    some = [thing.sis_id for thing in objects_of(report, only={"UE_3"})]

    assert some == ["UE_1", "UE_3", "UA_1"]
