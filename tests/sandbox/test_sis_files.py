"""What an upload may hold and how its files are told apart, reference/canvas.md §2.7 and §3."""

from __future__ import annotations

import pytest

from sandbox.canvas.sis.batch import BatchState
from sandbox.canvas.sis.importing import Import
from sandbox.canvas.sis.kinds import KINDS, kind_of
from sandbox.canvas.state import Canvas
from tests.sandbox.sis_building import (
    ACCOUNTS,
    COURSES,
    SECTIONS,
    counts,
    course,
    csv_of,
    messages,
    new_canvas,
    queued,
    run_csv,
    run_zip,
    zip_of,
)


@pytest.fixture
def canvas() -> Canvas:
    return new_canvas()


ACCOUNT = csv_of(ACCOUNTS, "A1,,Konto,active")


def said(canvas: Canvas, files: dict[str, str | bytes]) -> tuple[str, list[tuple[str, str, bool]]]:
    batch = run_zip(canvas, files)
    return str(batch.workflow_state), [(error.file, error.message, error.failure) for error in batch.errors]


def test_files_are_imported_in_canvas_order_whatever_their_names_and_folders(canvas: Canvas) -> None:
    batch = run_zip(
        canvas,
        {
            "1/sections.csv": csv_of(SECTIONS, "S1,K1,G,active"),
            "2.CSV": csv_of(COURSES, "K1,S,L,A1,,active"),
            "deep/er/3.csv": ACCOUNT,
        },
    )

    assert (messages(batch), counts(batch)) == ([], {"accounts": 1, "courses": 1, "sections": 1})
    assert batch.data["completed_importers"] == ["account", "course", "section"]
    assert batch.data["supplied_batches"] == ["section", "course", "account"]


def test_what_is_no_csv_is_passed_over_with_a_warning_or_in_silence(canvas: Canvas) -> None:
    state, told = said(
        canvas,
        {
            "accounts.csv": ACCOUNT,
            "notes.txt": "hei",
            "inner.zip": zip_of({"accounts.csv": ACCOUNT}),
            "__MACOSX/accounts.csv": "x",
            ".DS_Store": "x",
            "folder/.hidden.csv": "x",
            "Desktop DB": "x",
            "empty.csv": "",
        },
    )

    assert (state, told) == (
        "imported_with_messages",
        [
            ("inner.zip", "Skipping unknown file type", False),
            ("notes.txt", "Skipping unknown file type", False),
        ],
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("tull,og,tøys\n1,2,3\n", "Couldn't find Canvas CSV import headers"),
        (ACCOUNT.encode("latin-1") + b"B1,,Ha\xf8\xe6,active\n", "Invalid UTF-8"),
        (ACCOUNT + 'B1,,Stort "navn",active\n', "Malformed CSV"),
        (ACCOUNT + 'B1,,"Uten slutt,active\n', "Malformed CSV"),
        (ACCOUNT + 'B1,,"Etter"slutt,active\n', "Malformed CSV"),
    ],
)
def test_a_file_that_cannot_be_read_is_left_out_whole_and_fails_the_import_while_others_are_applied(
    canvas: Canvas, content: str | bytes, message: str
) -> None:
    state, told = said(canvas, {"bad.csv": content, "good.csv": csv_of(COURSES, "K1,S,L,,,active")})

    assert (state, told) == ("failed_with_messages", [("bad.csv", message, True)])
    assert (canvas.accounts.by_sis_id("A1"), course(canvas, "K1").name) == (None, "L")


def test_a_bom_quotes_line_ends_padding_case_and_unknown_columns_are_taken_as_they_come(canvas: Canvas) -> None:
    text = (
        '\ufeffStatus,ukjent,ACCOUNT_ID,Parent_Account_Id,name,\r\n active ,x,A1, ,"  Å, ""sa"" han\r\nog gikk ",\r\n'
    )

    batch = run_zip(canvas, {"a.csv": text.encode()})

    account = canvas.accounts.by_sis_id("A1")
    assert (messages(batch), account and account.name) == ([], 'Å, "sa" han\r\nog gikk')


def test_a_padded_header_is_recognised_and_then_every_row_lacks_its_id(canvas: Canvas) -> None:
    batch = run_csv(canvas, " account_id,parent_account_id,name,status", "A1,,Konto,active")

    assert messages(batch) == [(2, "No account_id given for an account")]


def test_blank_rows_are_skipped_uncounted_but_keep_their_row_numbers(canvas: Canvas) -> None:
    batch = run_csv(canvas, ACCOUNTS, "", ",,,", "A1,,,active", " , ,,", "A2,,Konto,active")

    assert (messages(batch), counts(batch)) == (
        [(4, "No name given for account A1, skipping")],
        {"accounts": 1, "warning_count": 1},
    )


@pytest.mark.parametrize(("copies", "run_rows"), [(100, 100), (101, 1)])
def test_a_hundred_duplicate_lines_are_run_once(canvas: Canvas, copies: int, run_rows: int) -> None:
    batch = run_csv(canvas, ACCOUNTS, *["A1,,Konto,active"] * copies)

    assert counts(batch) == {"accounts": run_rows}


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("old_integration_id,type", "change_sis_id"),
        ("account_id,parent_account_id,user_id", "account"),
        ("term_id,name,course_id,short_name", "term"),
        ("abstract_course_id,short_name", "abstract_course"),
        ("course_id,short_name,abstract_course_id", "course"),
        ("section_id,name,user_id,course_id", "section"),
        ("xlist_course_id,section_id", "xlist"),
        ("user_id,login_id,course_id", "user"),
        ("user_id,login_id,existing_user_id", "login"),
        ("course_id,user_integration_id", "enrollment"),
        ("account_id,user_id", "admin"),
        ("group_category_id,category_name", "group_category"),
        ("tag_set_id,set_name", "differentiation_tag_set"),
        ("group_id,name", "group"),
        ("tag_id,name", "differentiation_tag"),
        ("group_id,user_id", "group_membership"),
        ("tag_id,user_id", "differentiation_tag_membership"),
        ("enrollment_id,grade_publishing_status", "grade_publishing_results"),
        ("observer_id,student_id", "user_observer"),
        ("institutional_tag_id,category_id", None),
    ],
)
def test_the_first_rule_that_fits_a_header_decides_the_type(header: str, kind: str | None) -> None:
    found = kind_of(header.split(","))

    assert (found.name if found else None) == kind
    assert kind is None or kind in {known.name for known in KINDS}


def test_a_type_the_sandbox_does_not_import_yet_is_named_in_a_failure(canvas: Canvas) -> None:
    state, told = said(canvas, {"groups.csv": csv_of("group_id,name,status", "G1,Gruppe,available")})

    text = "This is a file of groups; the sandbox does not import groups yet"
    assert (state, told) == ("failed_with_messages", [("groups.csv", text, True)])


def test_a_file_uploaded_alone_that_is_neither_zip_nor_csv_imports_nothing_and_says_nothing(
    canvas: Canvas,
) -> None:
    batch = queued(canvas, "sis_import.xml", b"<enterprise/>", workflow_state=BatchState.IMPORTING)
    Import(canvas, batch).run()

    assert (str(batch.workflow_state), counts(batch), messages(batch)) == ("imported", {}, [])


def test_an_upload_that_is_called_a_zip_and_is_none_fails_with_canvas_message_for_a_crash(
    canvas: Canvas,
) -> None:
    batch = queued(canvas, "import.zip", b"not a zip", workflow_state=BatchState.IMPORTING)
    Import(canvas, batch).run()

    text = "Error while importing CSV. Please contact support. (Error report 1)"
    assert (str(batch.workflow_state), messages(batch), batch.progress) == (
        "failed_with_messages",
        [(None, text)],
        0,
    )
