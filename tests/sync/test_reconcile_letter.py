"""The mail about a comparison with Canvas."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from rosterflow.domain.differences import Difference, Finding, Hand
from rosterflow.domain.model import Kind
from rosterflow.sync import reconcile_letter
from rosterflow.sync.letters import Letter
from rosterflow.sync.reconcile_letter import COLUMNS, as_csv, letter_of
from tests.household import NOW, college

ROSTER = "section UE_999_NOR1001_1_2026_HØST_1 as StudentEnrollment"
GONE = Difference(Finding.MISSING, Kind.ENROLLMENT, ROSTER, "FS_999_42", wanted="active", confirmed="active")
RENAMED = Difference(
    Finding.DRIFTED, Kind.COURSE, "UE_999_NOR1001_1_2026_HØST_1", field="long_name", wanted="Norsk",
    confirmed="Norsk", actual='=HYPERLINK("http://evil.example")',
)  # fmt: skip
COUNTS = {"missing": {"enrollment": 1}, "drifted": {"course": 1}}


def shown(user: str) -> str:
    return user if user.startswith("FS_") else f"P-{len(user)}"


def letter(*found: Difference, counts: Any = COUNTS, **settings: Any) -> Letter:
    one = college(mail={"reconcile": ["studieadm@fjordvik.example"]}, **settings)
    return letter_of(one, found, counts, shown=shown, now=NOW)


def rows_of(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))


def test_the_mail_counts_what_was_found_and_says_what_it_means_and_how_to_put_it_right() -> None:
    told = letter(GONE, RENAMED)

    assert told.to == ("studieadm@fjordvik.example",)
    assert told.subject == "[Rosterflow] Høgskolen i Fjordvik: Canvas differs in 2 objects or people"
    assert "* missing: 1 enrollment\n" in told.plain
    assert "* drifted: 1 course\n" in told.plain
    for text in (told.plain, told.html):
        assert "somebody deleted it there" in text
        assert "canvas_reconcile__fjordvik" in text


def test_the_list_comes_as_html_and_as_csv() -> None:
    page, table = letter(GONE, RENAMED).attachments

    assert (page.name, page.media_type) == ("reconcile-fjordvik-2026-09-01.html", "text/html")
    assert (table.name, table.media_type) == ("reconcile-fjordvik-2026-09-01.csv", "text/csv")
    assert rows_of(table.data) == [
        list(COLUMNS),
        ["missing", "enrollment", ROSTER, "FS_999_42", "", "people", "active", "active", ""],
        ["drifted", "course", RENAMED.sis_id, "", "long_name", "people", "Norsk", "Norsk", f"'{RENAMED.actual}"],
    ]
    assert "<td>FS_999_42</td>" in page.data.decode()
    assert "<td>=HYPERLINK(&#34;http://evil.example&#34;)</td>" in page.data.decode()


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "  @"])
def test_no_cell_of_the_csv_is_a_formula(begin: str) -> None:
    assert rows_of(as_csv([[f"{begin}1+1", "Norsk 1"]]))[1] == [f"'{begin}1+1", "Norsk 1"]


def test_a_person_is_called_what_people_are_called_where_others_read_it() -> None:
    mine = Difference(Finding.MISSING, Kind.ENROLLMENT, ROSTER, "kari@fjordvik.example")

    told = letter(mine, RENAMED)

    assert [row[3] for row in rows_of(told.attachments[1].data)[1:]] == ["P-21", ""]
    texts = [told.plain, told.html, *(one.data.decode() for one in told.attachments)]
    assert [text for text in texts if "kari" in text] == []


def test_where_nothing_was_found_there_is_no_list() -> None:
    told = letter(counts={})

    assert told.subject == "[Rosterflow] Høgskolen i Fjordvik: Canvas is as it was confirmed"
    assert "There is nothing to do." in told.plain
    assert told.attachments == ()


def test_a_list_too_long_for_a_mail_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile_letter, "MOST_ROWS", 1)

    told = letter(GONE, RENAMED)

    assert len(rows_of(told.attachments[1].data)) == 2
    assert "as far as 1 rows go" in told.plain


def test_what_was_sent_and_never_confirmed_is_called_ours() -> None:
    ours = Difference(Finding.DRIFTED, Kind.COURSE, "UE_1", field="state", hand=Hand.OURS, actual="active")

    assert rows_of(letter(ours).attachments[1].data)[1][5] == "us"
