"""Answers that are whole but for people whom FS does not show."""

from __future__ import annotations

from typing import Any

import pytest

from rosterflow.hooks.fs_errors import withholds_people_alone


def error(*path: str | int) -> dict[str, Any]:
    return {"message": "An exception occurred.", "path": ["emneroller", "nodes", *path]}


def answer(*nodes: Any) -> dict[str, Any]:
    return {"emneroller": {"nodes": list(nodes)}}


SEEN = {"emne": {"kode": "INF-1100"}, "personProfil": {"personlopenummer": "1"}}
WITHHELD = {**SEEN, "personProfil": None}


@pytest.mark.parametrize(
    ("errors", "data"),
    [
        ([error(1, "personProfil")], answer(SEEN, WITHHELD)),
        ([error(0, "personProfil"), error(1, "fagperson")], answer(WITHHELD, {**SEEN, "fagperson": None})),
        ([error(0, "student", "personProfil")], answer({"student": {"personProfil": None}})),
        ([error(0, "student", "kanOverforesTilLms")], answer({"student": None})),
        ([error(1, "personProfil")], answer(SEEN, None)),
    ],
    ids=["one", "several", "deeper", "what may not be null inside", "the row with it"],
)
def test_people_who_are_null_with_an_error_each_are_withheld(errors: list[Any], data: dict[str, Any]) -> None:
    assert withholds_people_alone(errors, data)


@pytest.mark.parametrize(
    ("errors", "data"),
    [
        ([], answer(WITHHELD)),
        ([error(0, "personProfil"), error(0, "emne")], answer(WITHHELD)),
        ([error(0, "personProfil"), {"message": "m"}], answer(WITHHELD)),
        ([error(0, "personProfil")], answer(SEEN)),
        ([error(7, "personProfil")], answer(WITHHELD)),
        ([error(0, "personProfil")], None),
        ([error(0, "personProfil")], {"emneroller": None}),
        ([error(0, "personProfil")], {"emneroller": {"nodes": None}}),
    ],
    ids=["no error", "another member", "no path", "not null", "no such row", "no data", "no root", "no rows"],
)
def test_any_other_error_spoils_the_answer(errors: list[Any], data: dict[str, Any] | None) -> None:
    assert not withholds_people_alone(errors, data)
