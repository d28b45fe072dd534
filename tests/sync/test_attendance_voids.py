"""Time that is gone from the export all at once: who is asked, what an answer does, and when two must give it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from rosterflow.domain.attendance.reading import KeptRead
from rosterflow.domain.errors import Code, NeedsPerson
from rosterflow.store import approvals, attendance_rows
from rosterflow.store.approvals import Approval, ApprovalState
from rosterflow.sync.approving import APPROVE, Answer, Verdict
from rosterflow.sync.attendance_importing import Imported, import_read
from rosterflow.sync.attendance_voids import decide_voids, describe_voids
from tests.domain.coursekey.builders import raw_college
from tests.installed import installed
from tests.sync.attendance_ground import MONDAY, NIGHT, Ground, exported, ground

LATER = NIGHT + timedelta(hours=1)
YES, SECOND, NO = (
    Answer(APPROVE, "As it should be", "ada"),
    Answer(APPROVE, "Yes", "bo"),
    Answer("Reject", "No", "ada"),
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    """A college with nine sessions of a student."""
    with installed(tmp_path, monkeypatch, raw_college()) as one:
        made = ground(one.store)
        made.take(*sessions(9))
        yield made


def sessions(count: int) -> list[dict[str, object]]:
    return [exported(f"S{number}", "2001", MONDAY, 600) for number in range(1, count + 1)]


def asked(here: Ground, held: Imported) -> Approval:
    assert held.approval is not None
    with here.store.begin() as connection:
        return approvals.get_approval(connection, here.college.key, held.approval)


def join_again(here: Ground, run: int, read: KeptRead) -> None:
    import_read(here.store, here.college, run, here.again(read), LATER, approved=True)


def decided(here: Ground, request: Approval, *answers: Answer) -> Verdict:
    run = here.run("approval").id
    return decide_voids(here.store, here.college, run, request.id, answers, LATER, partial(join_again, here, run))


@pytest.mark.parametrize(("left", "held", "two"), [(8, 0, None), (7, 2, False), (6, 3, True), (0, 9, True)])
def test_more_than_a_fifth_takes_a_person_and_more_than_a_quarter_takes_two(
    here: Ground, left: int, held: int, two: bool | None
) -> None:
    found = here.take(*sessions(left), read_at=LATER)

    assert (found.held, len(here.booked())) == (held, left + held)
    assert (asked(here, found).two_person if held else None) == two
    if held:
        body = describe_voids(here.store, here.college, asked(here, found).id).body
        assert ("Two people must approve." in body) == two


def test_more_records_than_the_limit_take_two_whatever_their_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"guards": {"two_person": {"percent": 100, "floor": 2}}}
    with installed(tmp_path, monkeypatch, raw_college(**settings)) as one:
        here = ground(one.store, **settings)
        here.take(*sessions(9))

        two = here.take(*sessions(7), read_at=LATER)
        three = here.take(*sessions(6), read_at=LATER + timedelta(hours=1))

        assert [asked(here, held).two_person for held in (two, three)] == [False, True]


def test_what_one_person_approves_is_taken_back_and_due_to_be_written(here: Ground) -> None:
    here.write()
    request = asked(here, here.take(*sessions(7), read_at=LATER))

    verdict = decided(here, request, YES)

    assert (verdict.approved, len(here.booked())) == (1, 7)
    assert asked_state(here, request) is ApprovalState.APPLIED
    with here.store.begin() as connection:
        assert set(attendance_rows.due(connection, here.college.key)) == {MONDAY}


def test_what_takes_two_is_not_taken_back_for_one_nor_for_the_same_person_twice(here: Ground) -> None:
    request = asked(here, here.take(*sessions(6), read_at=LATER))

    for answers in ((YES,), (YES, YES)):
        with pytest.raises(NeedsPerson) as caught:
            decided(here, request, *answers)
        assert caught.value.code is Code.APPROVAL_INVALID
    assert len(here.booked()) == 9

    assert (decided(here, request, YES, SECOND).approved, len(here.booked())) == (1, 6)


def test_what_is_rejected_stays_booked_and_is_not_asked_about_at_once_again(here: Ground) -> None:
    request = asked(here, here.take(*sessions(7), read_at=LATER))

    verdict = decided(here, request, NO)
    again = here.take(*sessions(7), read_at=LATER + timedelta(hours=1))

    assert (verdict.approved, len(here.booked())) == (0, 9)
    assert (again.held, again.approval) == (2, None)


def asked_state(here: Ground, request: Approval) -> ApprovalState:
    with here.store.begin() as connection:
        return approvals.get_approval(connection, here.college.key, request.id).state
