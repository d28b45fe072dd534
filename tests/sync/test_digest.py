from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rosterflow.domain.errors import Code, RetryableError
from rosterflow.store import failures, migrate, row_errors
from rosterflow.store.engine import Store
from rosterflow.sync.digest import send_digest
from rosterflow.sync.letters import PartlyRefused
from tests.household import NOW, Letterbox, as_golden, assert_golden, college, opened, trouble

GOLDEN = Path(__file__).parent / "golden"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/store.db")
    migrate.upgrade(store)
    yield store
    store.dispose()


@pytest.fixture
def box() -> Letterbox:
    return Letterbox()


def settle(store: Store, subject: str, at: object) -> None:
    with store.begin() as connection:
        row_errors.settle(connection, "fjordvik", "source", [subject], at)  # type: ignore[arg-type]


def test_a_digest_groups_by_cause_the_most_frequent_first(store: Store, box: Letterbox) -> None:
    for number in range(1, 13):
        trouble(store, f"NOR10{number:02} 1 2026 HØST 1 sem-{number}", NOW - 3 * DAY + number * HOUR)
    trouble(store, "course UE_999_MAT1_1_2026_HØST_1", NOW - DAY, Code.ROW_REFUSED, side="canvas", message="Nei <takk>")

    send_digest(store, college(), box, NOW)

    assert_golden(as_golden(box.letters[0]), GOLDEN / "digest_first.txt")


def test_the_second_digest_says_what_is_new_what_recovered_and_what_was_not_read(store: Store, box: Letterbox) -> None:
    trouble(store, "NOR1001 1 2026 HØST 1 sem-1", NOW - DAY)
    trouble(store, "1 EMNE", NOW - DAY, Code.ROW_INVALID, message="emnekode is missing")
    send_digest(store, college(), Letterbox(), NOW - DAY)
    settle(store, "1 EMNE", NOW - 2 * HOUR)
    trouble(store, "NOR1002 1 2026 HØST 1 sem-1", NOW - HOUR)
    opened(store, at=NOW - 3 * HOUR, gaps=1, first_gaps=["emner: FS counts 61 rows, and 60 arrived [rows-missing]."])

    send_digest(store, college(), box, NOW)

    assert_golden(as_golden(box.letters[0]), GOLDEN / "digest_second.txt")


def test_there_is_one_digest_a_day(store: Store, box: Letterbox) -> None:
    trouble(store, "NOR1001")

    sent = [send_digest(store, college(), box, NOW + hours * HOUR) for hours in (0, 1, 10, 24)]

    assert sent == [True, False, False, True]


def test_the_day_and_the_hour_are_the_institution_s_own(store: Store, box: Letterbox) -> None:
    trouble(store, "NOR1001", NOW - DAY)
    half_past_six_in_oslo = NOW - 2 * HOUR
    last_hour_of_the_day_in_oslo = NOW + 15 * HOUR
    half_past_seven_the_next_day = NOW + 23 * HOUR

    moments = (half_past_six_in_oslo, last_hour_of_the_day_in_oslo, half_past_seven_the_next_day)

    assert [send_digest(store, college(), box, at) for at in moments] == [False, True, True]


def test_nothing_is_sent_when_there_is_nothing_to_say_and_the_day_is_done(store: Store, box: Letterbox) -> None:
    sent = send_digest(store, college(), box, NOW)
    trouble(store, "NOR1001", NOW + HOUR)

    assert (sent, send_digest(store, college(), box, NOW + HOUR), box.letters) == (False, False, [])


def test_nobody_gets_a_digest_who_did_not_subscribe(store: Store, box: Letterbox) -> None:
    trouble(store, "NOR1001")

    sent = send_digest(store, college(mail={"failures": ["drift@fjordvik.example"]}), box, NOW)

    assert (sent, box.letters) == (False, [])


def test_trouble_of_another_institution_is_not_told(store: Store, box: Letterbox) -> None:
    trouble(store, "NOR1001", institution="sundnes")

    assert (send_digest(store, college(), box, NOW), box.letters) == (False, [])


def test_a_cause_with_a_row_left_has_not_recovered(store: Store, box: Letterbox) -> None:
    for subject in ("NOR1001", "NOR1002"):
        trouble(store, subject, NOW - DAY)
    send_digest(store, college(), Letterbox(), NOW - DAY)
    settle(store, "NOR1001", NOW - HOUR)

    send_digest(store, college(), box, NOW)

    assert "Recovered" not in box.letters[0].plain
    assert "* 1 x room-code-unknown" in box.letters[0].plain


def test_what_came_and_went_between_two_digests_is_not_told(store: Store, box: Letterbox) -> None:
    trouble(store, "NOR1001", NOW - DAY)
    send_digest(store, college(), Letterbox(), NOW - DAY)
    settle(store, "NOR1001", NOW - 5 * HOUR)
    trouble(store, "1 EMNE", NOW - 4 * HOUR, Code.ROW_INVALID)
    settle(store, "1 EMNE", NOW - 3 * HOUR)

    send_digest(store, college(), box, NOW)

    assert [line for line in box.letters[0].plain.splitlines() if "Recovered" in line] == [
        "Recovered: room-code-unknown, 1 row."
    ]


def test_a_recovery_is_told_once(store: Store, box: Letterbox) -> None:
    trouble(store, "NOR1001", NOW - 2 * DAY)
    send_digest(store, college(), box, NOW - 2 * DAY)
    settle(store, "NOR1001", NOW - DAY - HOUR)
    send_digest(store, college(), box, NOW - DAY)
    send_digest(store, college(), box, NOW)

    assert box.subjects == [
        "[Rosterflow] Høgskolen i Fjordvik: 1 row needs attention",
        "[Rosterflow] Høgskolen i Fjordvik: a cause is gone",
    ]


def test_a_digest_that_could_not_be_sent_stays_due(store: Store, box: Letterbox) -> None:
    trouble(store, "NOR1001")
    box.error = RetryableError(Code.MAIL_FAILED, "The mail server could not be reached.")

    with pytest.raises(RetryableError):
        send_digest(store, college(), box, NOW)
    box.error = None

    assert send_digest(store, college(), box, NOW + HOUR)


def test_a_digest_that_some_receivers_got_is_not_sent_to_them_again(store: Store, box: Letterbox) -> None:
    trouble(store, "NOR1001")
    box.error = PartlyRefused(1, 2)

    with pytest.raises(PartlyRefused, match="refused 1 of 2 receivers"):
        send_digest(store, college(), box, NOW)
    box.error = None

    with store.begin() as connection:
        assert failures.last_digest(connection, "fjordvik").sent  # type: ignore[union-attr]
    assert not send_digest(store, college(), box, NOW + HOUR)
