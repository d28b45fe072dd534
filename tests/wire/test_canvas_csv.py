"""SIS import files, byte for byte, and the rule that matters most: nothing is published or re-opened by accident."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rosterflow.domain.model import Account, CanvasObject, Course, Section, State, Term
from rosterflow.domain.plan import Action, Change
from rosterflow.wire.canvas_csv import FORMATS, first_import, second_import, sis_files, zip_of

GOLDEN = Path(__file__).parent / "golden"
START = datetime(2026, 8, 9, 22, tzinfo=UTC)
END = datetime(2027, 1, 19, 22, 59, 59, tzinfo=UTC)

UNIT = Account("184_12_0_0", 'Institutt for "ære", øl & åndsliv', "FSDEMO")
EMNE = Account("EMNE_184_ØV-1_1", "ØV-1 Øving, del 1", "184_12_0_0")
TERM = Term("2026_HØST", "Høst 2026", START, END)
OPEN_TERM = Term("2026_SOM", "Sommer 2026")
COURSE = Course("UE_184_ØV-1_1_2026_HØST_1", "ØV-1 H26", "Øving, del 1", "EMNE_184_ØV-1_1", "2026_HØST", START, END)
BARE = Course("EVU_184_KURS_2026 høst", "Kurs", "Kurs\nover to linjer", "184_12_0_0")
SECTION = Section("UA_1", "Gruppe «1»", COURSE.sis_id)


def create(thing: CanvasObject) -> Change:
    return Change(Action.CREATE, None, thing, "new", "")


def change(action: Action, before: CanvasObject, after: CanvasObject) -> Change:
    return Change(action, before, after, "rule", "")


def closed(thing: Course) -> Course:
    return replace(thing, state=State.COMPLETED)


CHANGES = (
    create(UNIT),
    create(EMNE),
    create(TERM),
    create(OPEN_TERM),
    create(COURSE),
    create(BARE),
    create(SECTION),
    change(Action.UPDATE, UNIT, replace(UNIT, name="Nytt navn", parent="184_1_0_0")),
    change(Action.UPDATE, TERM, replace(TERM, end=None)),
    change(Action.UPDATE, COURSE, replace(COURSE, start=None, end=None)),
    change(Action.UPDATE, BARE, replace(BARE, end=END)),
    change(Action.CLOSE, COURSE, closed(COURSE)),
    change(Action.REOPEN, closed(COURSE), COURSE),
    change(Action.HIDE, BARE, replace(BARE, state=State.UNPUBLISHED)),
    change(Action.DELETE, SECTION, replace(SECTION, state=State.DELETED)),
    change(Action.DELETE, EMNE, replace(EMNE, state=State.DELETED)),
    change(Action.CHANGE_ID, COURSE, replace(COURSE, sis_id="UE_184_ØV-1_2_2026_HØST_1")),
    change(Action.CHANGE_ID, EMNE, replace(EMNE, sis_id="EMNE_184_ØV-1_2")),
)


@pytest.mark.parametrize("name", FORMATS)
def test_each_file_is_byte_for_byte_what_was_agreed(name: str) -> None:
    files = {file.name: file.content for file in sis_files(CHANGES, mark="mark-7", publish_new=False)}

    assert files[f"mark-7-{name}.csv"] == (GOLDEN / f"{name}.csv").read_text(encoding="utf-8")


def test_the_columns_are_exactly_those_that_canvas_tells_the_type_from() -> None:
    assert {name: one.columns for name, one in FORMATS.items()} == {
        "change_sis_id": ("old_id", "new_id", "type"),
        "accounts": ("account_id", "parent_account_id", "name", "status"),
        "terms": ("term_id", "name", "status", "start_date", "end_date"),
        "courses": (
            "course_id",
            "short_name",
            "long_name",
            "account_id",
            "term_id",
            "status",
            "start_date",
            "end_date",
        ),
        "sections": ("section_id", "course_id", "name", "status"),
    }


def test_files_come_in_canvas_own_order_with_the_key_it_counts_them_by() -> None:
    files = sis_files(CHANGES, mark="mark-7", publish_new=False)

    assert [(file.name, file.counted_as) for file in files] == [
        ("mark-7-change_sis_id.csv", "change_sis_ids"),
        ("mark-7-accounts.csv", "accounts"),
        ("mark-7-terms.csv", "terms"),
        ("mark-7-courses.csv", "courses"),
        ("mark-7-sections.csv", "sections"),
    ]


def test_every_row_knows_its_change() -> None:
    files = {file.counted_as: file for file in sis_files(CHANGES, mark="mark-7", publish_new=False)}

    assert {name: file.rows for name, file in files.items()} == {
        "change_sis_ids": (16, 17),
        "accounts": (0, 1, 7, 15),
        "terms": (2, 3, 8),
        "courses": (4, 5, 9, 10, 11, 12),
        "sections": (6, 14),
    }


def test_what_csv_cannot_do_is_in_no_file() -> None:
    hide = change(Action.HIDE, BARE, replace(BARE, state=State.UNPUBLISHED))

    assert sis_files([hide], mark="mark-7", publish_new=False) == []


@pytest.mark.parametrize(
    ("action", "before", "after", "status"),
    [
        (Action.CREATE, None, State.ACTIVE, "active"),
        (Action.UPDATE, State.ACTIVE, State.ACTIVE, "active"),
        (Action.UPDATE, State.UNPUBLISHED, State.UNPUBLISHED, "active"),
        (Action.UPDATE, State.COMPLETED, State.COMPLETED, "completed"),
        (Action.UPDATE, State.DELETED, State.DELETED, "deleted"),
        (Action.CLOSE, State.ACTIVE, State.COMPLETED, "completed"),
        (Action.REOPEN, State.COMPLETED, State.ACTIVE, "active"),
        (Action.REOPEN, State.UNPUBLISHED, State.ACTIVE, "active"),
    ],
)
def test_a_course_says_active_only_where_that_neither_publishes_nor_reopens_by_accident(
    action: Action, before: State | None, after: State, status: str
) -> None:
    known = replace(COURSE, state=before) if before else None
    row = rows_of(Change(action, known, replace(COURSE, state=after), "rule", ""))

    assert row["status"] == status


def test_only_a_new_course_is_published_and_only_when_the_institution_wants_it() -> None:
    (file,) = sis_files([one for one in CHANGES if isinstance(one.after, Course)][:6], mark="m", publish_new=True)
    statuses = [row["status"] for row in csv.DictReader(io.StringIO(file.content))]

    assert statuses == ["published", "published", "active", "active", "completed", "active"]


def test_a_date_that_is_gone_is_cleared_in_a_course_and_left_blank_where_it_never_was() -> None:
    gone = rows_of(change(Action.UPDATE, COURSE, replace(COURSE, start=None)))
    never = rows_of(create(BARE))

    assert (gone["start_date"], gone["end_date"]) == ("<delete>", "2027-01-19T22:59:59Z")
    assert (never["start_date"], never["end_date"]) == ("", "")


def test_letters_quotes_commas_and_line_ends_survive() -> None:
    account, course = rows_of(create(UNIT)), rows_of(create(BARE))

    assert (account["name"], course["long_name"]) == (UNIT.name, BARE.long_name)


@pytest.mark.parametrize("odd", ["a, b", 'a "b"', "a\nb"])
def test_one_row_that_must_be_quoted_among_many_that_need_not_survives(odd: str) -> None:
    names = [f"Gruppe {number}" for number in range(250)]
    names[120] = odd
    made = [create(replace(SECTION, sis_id=f"UA_{number}", name=name)) for number, name in enumerate(names)]

    [file] = sis_files(made, mark="mark-7", publish_new=False)

    rows = list(csv.DictReader(io.StringIO(file.content, newline="")))
    assert [(row["section_id"], row["name"]) for row in rows] == [
        (f"UA_{number}", name) for number, name in enumerate(names)
    ]


def test_only_deleted_accounts_and_terms_wait_for_the_second_import() -> None:
    second = [one for one in CHANGES if second_import(one)]

    assert [(one.action, one.after.sis_id) for one in second] == [(Action.DELETE, EMNE.sis_id)]
    assert [one for one in CHANGES if not first_import(one)] == [CHANGES[13], *second]


def test_a_zip_of_the_same_files_has_the_same_bytes_and_holds_each_of_them() -> None:
    files = sis_files(CHANGES, mark="mark-7", publish_new=False)

    assert zip_of(files) == zip_of(sis_files(CHANGES, mark="mark-7", publish_new=False))
    with zipfile.ZipFile(io.BytesIO(zip_of(files))) as archive:
        assert {name: archive.read(name).decode() for name in archive.namelist()} == {
            file.name: file.content for file in files
        }


def rows_of(one: Change, *, publish_new: bool = False) -> dict[str, str]:
    """The one row that a change makes."""
    (file,) = sis_files([one], mark="mark-7", publish_new=publish_new)
    (row,) = csv.DictReader(io.StringIO(file.content))
    return row
