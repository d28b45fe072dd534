"""Canvas's words about a row, without what they say of a person."""

from __future__ import annotations

import pytest

from rosterflow.wire.canvas_words import template_of

ROW = ("kari.nordmann", "Kari Nordmann", "Nordmann, Kari", "kari@example.org")


@pytest.mark.parametrize(
    ("words", "template"),
    [
        (
            "Could not save the user with user_id: 'FS_184_1'. Invalid login_id: 'KARI.nordmann'",
            "Could not save the user with user_id: '…'. Invalid login_id: '…'",
        ),
        ("A user Kari Nordmann did not pass validation", "A user … did not pass validation"),
        (
            "User not found for enrollment (User ID: FS_184_1, Course ID: , Section ID: UA_1)",
            "User not found for enrollment (User ID: FS_184_1, Course ID: , Section ID: UA_1)",
        ),
        ('Improper status "x" for an enrollment', 'Improper status "…" for an enrollment'),
    ],
)
def test_what_the_row_had_and_what_canvas_quotes_is_left_out(words: str, template: str) -> None:
    assert template_of(words, ROW) == template


def test_an_empty_value_leaves_nothing_out() -> None:
    assert template_of("No login_id given", ("", "")) == "No login_id given"
