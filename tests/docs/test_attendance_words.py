"""docs/attendance-mail.md says what every word of the attendance mail means."""

from __future__ import annotations

import re

from rosterflow.domain.attendance.booking import TAKES_THE_DAY, Origin
from rosterflow.domain.attendance.ledger import Effect
from rosterflow.domain.attendance.report import REMARKS, WITHOUT_TIME
from rosterflow.sync.attendance_letter import AS_IT_SHOULD_BE
from tests.conftest import REPOSITORY

SOURCES = ("records.py", "booking.py")


def explained() -> set[str]:
    """The words in the first columns of its tables."""
    text = (REPOSITORY / "docs" / "attendance-mail.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `([a-z_-]+)` \|", text, re.MULTILINE))


def reasons() -> set[str]:
    """The reasons that the ledger and the booking give, as their source has them."""
    folder = REPOSITORY / "plugins" / "rosterflow" / "domain" / "attendance"
    code = "".join((folder / name).read_text(encoding="utf-8") for name in SOURCES)
    given = r'(?:_listed|_not_booked|_leave_out)\((?:booked, fact, )?(?:"([a-z-]+)"(?: if [^"]*else "([a-z-]+)")?)'
    found = {word for pair in re.findall(given, code) for word in pair if word}
    found |= set(re.findall(r'_listed\(fact, "([a-z-]+)"', code))
    return found | set(re.findall(r'return "([a-z-]+)"', code))


def test_every_word_of_the_mail_is_explained() -> None:
    words = {str(effect) for effect in Effect} | reasons() | AS_IT_SHOULD_BE | WITHOUT_TIME | set(REMARKS)

    assert len(words) > 20
    assert words - explained() == set()


def test_a_row_by_hand_is_one_of_which_the_document_speaks() -> None:
    text = (REPOSITORY / "docs" / "attendance-mail.md").read_text(encoding="utf-8")

    assert [origin for origin in TAKES_THE_DAY if origin.replace("-", " ") not in text] == []
    assert Origin.OURS not in TAKES_THE_DAY
