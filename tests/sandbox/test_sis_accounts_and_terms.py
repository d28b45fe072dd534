"""accounts.csv and terms.csv, reference/canvas.md §5.1 and §5.2."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sandbox.canvas.objects import UI
from sandbox.canvas.state import Canvas
from tests.sandbox.sis_building import (
    ACCOUNTS,
    COURSES,
    TERMS,
    counts,
    csv_of,
    messages,
    new_canvas,
    run_csv,
    run_zip,
    warnings,
)


@pytest.fixture
def canvas() -> Canvas:
    return new_canvas()


def account_shape(canvas: Canvas, sis_id: str) -> tuple[str, str | None, str]:
    account = canvas.accounts.by_sis_id(sis_id)
    assert account is not None
    assert account.parent_account_id is not None
    return account.name, canvas.accounts[account.parent_account_id].sis_id, str(account.workflow_state)


def test_accounts_are_made_below_the_parents_their_rows_name(canvas: Canvas) -> None:
    batch = run_csv(canvas, ACCOUNTS, "F1,FSDEMO,Fakultet,active", "I1,F1,Institutt,active", "R1,,Ved rot,active")

    assert (str(batch.workflow_state), counts(batch)) == ("imported", {"accounts": 3})
    assert [account_shape(canvas, sis_id) for sis_id in ("F1", "I1", "R1")] == [
        ("Fakultet", "FSDEMO", "active"),
        ("Institutt", "F1", "active"),
        ("Ved rot", None, "active"),
    ]


def test_an_account_moves_is_renamed_and_keeps_its_name_when_the_row_has_none(canvas: Canvas) -> None:
    run_csv(canvas, ACCOUNTS, "F1,,Fakultet en,active", "F2,,Fakultet to,active", "I1,F1,Institutt,active")

    run_csv(canvas, ACCOUNTS, "I1,F2,,", "F1,,Nytt navn,Active")

    assert account_shape(canvas, "I1") == ("Institutt", "F2", "active")
    assert account_shape(canvas, "F1") == ("Nytt navn", None, "active")


def test_every_refused_account_row_has_canvas_own_words_and_its_row_number(canvas: Canvas) -> None:
    run_csv(canvas, ACCOUNTS, "UP,,Oppe,active", "DOWN,UP,Nede,active", "GONE,,Borte,active", "GONE,,Borte,deleted")

    batch = run_csv(
        canvas,
        ACCOUNTS,
        ",,Uten id,active",
        "A1,NOWHERE,Navn,active",
        "",
        "A2,GONE,Navn,active",
        "A3,,,active",
        "A4,,Navn,borte",
        "A5,,Navn,",
        "UP,,Oppe,deleted",
        "UP,DOWN,Oppe,active",
        "OK,,Navn,active",
    )

    assert messages(batch) == [
        (2, "No account_id given for an account"),
        (3, "Parent account didn't exist for A1"),
        (
            5,
            "Cannot restore sub_account with ID: A2 because parent_account with ID: GONE has been deleted.",
        ),
        (6, "No name given for account A3, skipping"),
        (7, 'Improper status "borte" for account A4, skipping'),
        (8, 'Improper status "" for account A5, skipping'),
        (9, "Cannot delete the sub_account with ID: UP because it has active sub accounts."),
        (10, "Setting account UP's parent to DOWN would create a loop"),
    ]
    assert counts(batch) == {"accounts": 1, "warning_count": 8}
    assert str(batch.workflow_state) == "imported_with_messages"


def test_an_account_with_a_concluded_course_is_not_deleted(canvas: Canvas) -> None:
    files = {
        "a.csv": csv_of(ACCOUNTS, "A1,,Konto,active"),
        "c.csv": csv_of(COURSES, "K1,K1,Kurs,A1,,completed"),
    }
    run_zip(canvas, files)

    batch = run_csv(canvas, ACCOUNTS, "A1,,Konto,deleted")

    assert warnings(batch) == ["Cannot delete the sub_account with ID: A1 because it has active courses."]


def test_account_and_course_deleted_in_one_import_needs_a_second_import_for_the_account(canvas: Canvas) -> None:
    files = {
        "a.csv": csv_of(ACCOUNTS, "A1,,Konto,active"),
        "c.csv": csv_of(COURSES, "K1,K1,Kurs,A1,,active"),
    }
    run_zip(canvas, files)

    first = run_zip(canvas, {name: text.replace("active", "deleted") for name, text in files.items()})
    second = run_csv(canvas, ACCOUNTS, "A1,,Konto,deleted")

    assert (counts(first), counts(second)) == ({"courses": 1, "warning_count": 1}, {"accounts": 1})
    assert account_shape(canvas, "A1") == ("Konto", None, "deleted")


def test_skip_deletes_passes_over_deletions_without_counting_them(canvas: Canvas) -> None:
    run_csv(canvas, ACCOUNTS, "A1,,Konto,active")

    batch = run_csv(canvas, ACCOUNTS, "A1,,Konto,deleted", "A2,,Ny,active", skip_deletes=True)

    assert (counts(batch), messages(batch)) == ({"accounts": 1}, [])
    assert account_shape(canvas, "A1") == ("Konto", None, "active")


def test_what_a_person_renamed_or_moved_stays(canvas: Canvas) -> None:
    run_csv(canvas, ACCOUNTS, "F1,,Fakultet,active", "A1,F1,Konto,active")
    account = canvas.accounts.by_sis_id("A1")
    assert account is not None
    canvas.update_account(account, {"name": "Vårt navn", "parent_account_id": 1}, UI)

    batch = run_csv(canvas, ACCOUNTS, "A1,F1,Konto,active")

    assert counts(batch) == {"accounts": 1}
    assert account_shape(canvas, "A1") == ("Vårt navn", None, "active")


def term_shape(canvas: Canvas, sis_id: str) -> tuple[str, datetime | None, datetime | None, str]:
    term = canvas.terms.by_sis_id(sis_id)
    assert term is not None
    return term.name, term.start_at, term.end_at, str(term.workflow_state)


def test_term_dates_are_utc_without_a_zone_and_blank_ones_clear(canvas: Canvas) -> None:
    run_csv(canvas, TERMS, "T1,Høst,active,2026-08-01T00:00:00+02:00,2026-12-31")
    begun = term_shape(canvas, "T1")

    run_csv(canvas, TERMS, "T1,Høst,active,2026-08-01 00:00:00,")

    assert begun == (
        "Høst",
        datetime(2026, 7, 31, 22, tzinfo=UTC),
        datetime(2026, 12, 31, tzinfo=UTC),
        "active",
    )
    assert term_shape(canvas, "T1") == ("Høst", datetime(2026, 8, 1, tzinfo=UTC), None, "active")


def test_every_refused_term_row_has_canvas_own_words(canvas: Canvas) -> None:
    run_zip(
        canvas,
        {"t.csv": csv_of(TERMS, "T1,Høst,active,,"), "c.csv": csv_of(COURSES, "K1,K1,Kurs,,T1,active")},
    )
    header = f"{TERMS},date_override_enrollment_type"

    batch = run_csv(
        canvas,
        header,
        ",Uten id,active,,,",
        "T2,Navn,borte,,,",
        "T3,,active,,,",
        "T4,Navn,active,i går,,",
        "T5,,active,,,StudentEnrollment",
        "T1,,active,,,ObserverEnrollment",
        "T1,Høst,deleted,,,",
        "T6,Bakvendt,active,2026-12-01,2026-08-01,",
    )

    assert messages(batch) == [
        (2, "No term_id given for a term"),
        (3, 'Improper status "borte" for term T2'),
        (4, "No name given for term T3"),
        (5, "Bad date format for term T4"),
        (6, "Cannot set date override on non-existent term"),
        (7, "Invalid date_override_enrollment_type"),
        (
            8,
            "A term did not pass validation (term: T1 / Høst, error: Cannot delete a term with active courses)",
        ),
        (
            9,
            "A term did not pass validation (term: T6 / Bakvendt, error: End dates cannot be before start dates)",
        ),
    ]
    assert term_shape(canvas, "T4") == ("Navn", None, None, "active")
    assert counts(batch) == {"terms": 1, "warning_count": 8}


def test_an_override_row_sets_and_removes_the_dates_of_one_enrollment_type(canvas: Canvas) -> None:
    header = f"{TERMS},date_override_enrollment_type"
    run_csv(canvas, header, "T1,Høst,active,,,", "T1,,active,2026-08-10,2026-12-10,StudentEnrollment")
    term = canvas.terms.by_sis_id("T1")
    assert term is not None
    given = dict(term.overrides)

    run_csv(canvas, header, "T1,,deleted,,,StudentEnrollment")

    dates = (datetime(2026, 8, 10, tzinfo=UTC), datetime(2026, 12, 10, tzinfo=UTC))
    assert (given, term.overrides, term.name) == ({"StudentEnrollment": dates}, {}, "Høst")


def test_the_default_term_is_never_deleted(canvas: Canvas) -> None:
    canvas.terms.change(canvas.terms[1], {"sis_id": "STANDARD"}, UI)

    batch = run_csv(canvas, TERMS, "STANDARD,Standard,deleted,,")

    assert warnings(batch) == [
        "A term did not pass validation (term: STANDARD / Standard, error: Cannot delete the default term)"
    ]
