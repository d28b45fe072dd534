"""The mail about entries that failed: once, again after a day, and a last one when all is well."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rosterflow.domain.errors import REMEDIES, Code, FatalError
from rosterflow.store import queue_looking
from rosterflow.store.queue_looking import Selection
from rosterflow.sync.coursekey_letter import tell
from rosterflow.sync.letters import Letter
from sandbox.serving import RunningSandbox
from tests.harness import Clock
from tests.scenarios.drain_ground import EMPTY, KEYS, Ground, ground, sandbox_of, user

NOON = datetime(2026, 9, 1, 16, tzinfo=UTC)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with sandbox_of(EMPTY, Clock(NOON)) as sandbox:
        yield sandbox


@pytest.fixture
def town(running: RunningSandbox, tmp_path: Path) -> Iterator[Ground]:
    running.world.reset(college=EMPTY)
    with ground(running, tmp_path, Clock(NOON)) as one:
        yield one


class Mailbox(list[Letter]):
    """What was sent."""

    def told(self, town: Ground, *, hours: float = 0) -> list[str]:
        """Tell some time later; the subjects of what was sent because of it."""
        town.clock.forward(hours=hours)
        before = len(self)
        tell(town.store, town.college, self.append, town.clock())
        return [letter.subject for letter in self[before:]]


FAILED = "[Rosterflow] Sandbox College: {} could not be sent to CourseKey"
RECOVERED = "[Rosterflow] Sandbox College: recovered, no entry for CourseKey is failed any more"


def poison(town: Ground, *persons: str) -> None:
    """People without an e-mail address; nobody else is in the queue."""
    for person in persons:
        town.person(person, email="")
    town.collect()
    town.queue(*(user(person) for person in persons))


def mend(town: Ground, *persons: str) -> None:
    for person in persons:
        town.person(person)
    town.run()


def test_nobody_is_mailed_when_nothing_failed(town: Ground) -> None:
    town.person(2001)
    town.collect()
    town.queue(user("2001"))
    town.drain()

    assert Mailbox().told(town) == []


def test_one_mail_names_the_cause_the_remedy_and_the_entries_and_nobody(town: Ground) -> None:
    people = [town.person(2001 + number) for number in range(100)]
    taken = {"schoolID": "548156", "firstName": "Al", "lastName": "Other", "isTeacher": 0, "issuedID": "7"}
    mail = "pia.quill.2050@college.example"
    import httpx

    body = {"users": [{**taken, "email": mail}]}
    httpx.post(f"{town.sandbox.url}/control/coursekey/by-hand", json=body).raise_for_status()
    town.collect()
    town.queue(*(user(one) for one in people))
    town.drain()
    box = Mailbox()

    assert box.told(town) == [FAILED.format("1 entry")]

    [letter] = box
    assert letter.to == ("registrar@college.example", "lms@college.example")
    for text in (letter.plain, letter.html):
        assert "account-taken" in text
        assert "user MAIN 2050" in text
        assert "2026-09-01 12:00" in text
        for secret in (mail, "Quill2050", *KEYS):
            assert secret not in text
    assert REMEDIES[Code.ACCOUNT_TAKEN] in letter.plain


def test_the_same_failure_is_told_again_only_after_a_day(town: Ground) -> None:
    poison(town, "2001")
    box = Mailbox()

    assert box.told(town) == [FAILED.format("1 entry")]
    assert box.told(town, hours=23) == []
    assert box.told(town, hours=1) == [FAILED.format("1 entry")]


def test_a_new_failure_is_told_alone_and_the_old_one_counted(town: Ground) -> None:
    poison(town, "2001")
    box = Mailbox()
    box.told(town)
    poison(town, "2002", "2003")

    assert box.told(town) == [FAILED.format("2 entries")]
    assert "1 more entry is still failed" in box[-1].plain
    assert "2001" not in box[-1].plain


def test_one_mail_says_that_all_is_well_again(town: Ground) -> None:
    poison(town, "2001", "2002")
    box = Mailbox()
    box.told(town)
    mend(town, "2001")
    assert box.told(town) == []
    mend(town, "2002")

    assert box.told(town) == [RECOVERED]
    assert box.told(town, hours=48) == []


def test_a_mail_that_could_not_be_sent_is_sent_by_the_next_run(town: Ground) -> None:
    poison(town, "2001")

    def refuse(letter: Letter) -> None:
        raise FatalError(Code.MAIL_FAILED, "The mail server could not be reached.")

    with pytest.raises(FatalError):
        tell(town.store, town.college, refuse, town.clock())

    assert Mailbox().told(town) == [FAILED.format("1 entry")]


def test_a_failure_that_was_mended_and_came_back_is_news(town: Ground) -> None:
    poison(town, "2001", "2002")
    box = Mailbox()
    box.told(town)
    mend(town, "2001")
    box.told(town)
    poison(town, "2001")

    assert box.told(town) == [FAILED.format("1 entry")]


def test_entries_of_one_cause_are_tried_again_together(town: Ground) -> None:
    town.person(2001)
    town.collect()
    town.queue(user("2001"))
    town.configure(owner_unknown=list(KEYS))
    key = town.section()
    town.collect()
    town.drain()
    [failed] = [one for one in town.entries() if one.error_code == "owner-unknown" and one.entity.kind == "course"]
    assert failed.entity.section_key == key
    town.configure(owner_unknown=[])

    with town.store.begin() as connection:
        name = (town.college.key, town.college.coursekey.api_name)
        which = Selection(error_code="owner-unknown")
        again = queue_looking.requeue(connection, *name, which, by="pia", reason="it is known now", now=town.clock())
    town.drain()

    assert again == 2
    assert len(town.there()["courses"]) == 1
    assert [one for one in town.entries() if one.error_code] == []
