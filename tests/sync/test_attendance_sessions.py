"""The records of a read by session: opened as they came, and told apart by a digest."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import msgspec

from rosterflow.domain.attendance.ledger import Fact, FactState
from rosterflow.domain.attendance.reading import OpenedPage
from rosterflow.domain.attendance.records import FactKey, TimeRecord
from rosterflow.store.attendance import SessionName
from rosterflow.sync.attendance_sessions import Sessions

MONDAY = date(2026, 9, 7)
NIGHT = datetime(2026, 9, 8, 9, 30, tzinfo=UTC)
EDT = timezone(timedelta(hours=-4))
NAME = SessionName("C1", "S1")
RECORDS = tuple(
    TimeRecord(
        "C1", f"U{seat}", MONDAY, record_id=f"R{seat}", issued_id=f"20{seat}", session_id="S1",
        starts=datetime(2026, 9, 7, 18, tzinfo=EDT), awarded=600 * seat,
    )
    for seat in range(1, 5)
)  # fmt: skip


def sessions(*pages: tuple[TimeRecord, ...]) -> Sessions:
    opened = (OpenedPage(number, records) for number, records in enumerate(pages, 1))
    return Sessions(opened, ZoneInfo("America/New_York"), NIGHT)


def test_the_records_of_a_session_come_as_they_were_from_all_its_pages() -> None:
    found = sessions(RECORDS[:1], RECORDS[1:])

    came = [[getattr(one, name) for name in TimeRecord.__struct_fields__] for one in found.records_of([NAME])]

    assert came == [[getattr(one, name) for name in TimeRecord.__struct_fields__] for one in RECORDS]
    assert (list(found), found.records, found.count(NAME)) == ([NAME], 4, 4)


def test_the_digest_of_a_session_depends_on_its_records_and_not_on_order_nor_pages() -> None:
    whole, cut = sessions(RECORDS), sessions(RECORDS[2:], tuple(reversed(RECORDS[:2])))
    other = sessions((*RECORDS[:3], msgspec.structs.replace(RECORDS[3], awarded=1)))

    assert whole.digest(NAME) == cut.digest(NAME)
    assert whole.digest(NAME) != other.digest(NAME)


def test_the_page_of_a_record_is_told_and_0_for_one_that_did_not_come() -> None:
    facts = [
        Fact(FactKey("C1", "S1", one, "sync"), "", MONDAY, MONDAY, FactState.PRESENT, 600, NIGHT, NIGHT, f"R{one[1:]}")
        for one in ("U1", "U3", "U9")
    ]
    cut = sessions(RECORDS[:2], RECORDS[2:])

    assert [cut.page_of(NAME)(fact) for fact in facts] == [1, 2, 0]
    assert cut.page_of(SessionName("C1", "S2"))(facts[0]) == 0
