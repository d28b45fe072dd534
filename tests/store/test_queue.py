"""The queue: put, leased, finished; nothing lost, nothing taken twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime

from rosterflow.domain.coursekey.queue import Entity, Entry, EntryKind, EntryState, Intent, Verdict
from rosterflow.store import history, queue, queue_history, queue_looking
from rosterflow.store.engine import Store
from rosterflow.store.queue import Request
from tests.store.campus_things import (
    API,
    DAY,
    DUE,
    EXCLUDED,
    HOME,
    HOUR,
    MATH,
    MINUTE,
    NOW,
    SHUT,
    course,
    enrollment,
    remove,
    upsert,
)

ADA = enrollment("1001")
BEN = enrollment("1002")


def put(store: Store, *requests: Request, at: datetime = NOW, api: str = API) -> Counter[EntryState]:
    with store.begin() as connection:
        return queue.put(connection, HOME, api, requests, at)


def lease(
    store: Store,
    holder: str = "drain 1",
    limit: int = 100,
    at: datetime = NOW,
    kinds: Sequence[EntryKind] | None = None,
) -> list[Entry]:
    with store.begin() as connection:
        return queue.lease(connection, HOME, API, holder, limit, at, HOUR, kinds=kinds)


def finish(
    store: Store, entry: Entry, state: EntryState, rule: str = "sent", at: datetime = NOW, due: datetime | None = None
) -> bool:
    with store.begin() as connection:
        return queue.finish(
            connection, entry, state, rule, "Because.", at, error_code="x" if rule != "sent" else None, due_at=due
        )


def states(store: Store) -> dict[str, EntryState]:
    with store.begin() as connection:
        found = queue.about(connection, HOME, API, [ADA, BEN, course()])
    return {entity.person or entity.course: entry.state for entity, entry in found.items()}


def told(store: Store) -> list[tuple[str, EntryState, str, int]]:
    with store.begin() as connection:
        lines = queue_history.latest(connection, HOME)
    return [(one.outcome.entity.person, one.outcome.state, one.outcome.rule, one.outcome.attempt) for one in lines][
        ::-1
    ]


def test_the_oldest_that_are_due_are_taken_first_and_only_once(store: Store) -> None:
    put(store, upsert(BEN), at=NOW - HOUR)
    put(store, upsert(ADA))
    put(store, upsert(course()), at=NOW + HOUR)

    first, second, third = lease(store, limit=1), lease(store, "drain 2"), lease(store, "drain 3")

    assert [[one.entity for one in some] for some in (first, second, third)] == [[BEN], [ADA], []]
    assert (first[0].state, first[0].holder, first[0].attempts) == (EntryState.PROCESSING, "drain 1", 1)


def test_entries_of_another_api_or_another_college_are_not_ours(store: Store) -> None:
    put(store, upsert(ADA), api="CC_D2L")
    with store.begin() as connection:
        queue.put(connection, "other", API, [upsert(ADA)], NOW)

    assert lease(store) == []


def test_only_the_kinds_that_are_asked_for_are_taken(store: Store) -> None:
    put(store, upsert(ADA), upsert(course()))

    assert [one.entity for one in lease(store, kinds=[EntryKind.COURSE])] == [course()]


def test_two_changes_of_one_entity_are_one_entry_which_keeps_its_place(store: Store) -> None:
    put(store, upsert(ADA), at=NOW - HOUR)
    put(store, upsert(BEN), at=NOW - MINUTE)
    put(store, upsert(ADA))

    assert [one.entity for one in lease(store)] == [ADA, BEN]


def test_an_entry_that_changes_keeps_its_number_and_its_age(store: Store) -> None:
    put(store, upsert(ADA, SHUT))
    with store.begin() as connection:
        before = queue.about(connection, HOME, API, [ADA])[ADA]
    put(store, upsert(ADA), at=NOW + HOUR)
    with store.begin() as connection:
        after = queue.about(connection, HOME, API, [ADA])[ADA]

    assert (before.opens_on, before.state, before.created_at) == (SHUT.opens_on, EntryState.DEFERRED, NOW)
    assert (after.id, after.opens_on, after.state, after.created_at) == (before.id, None, EntryState.PENDING, NOW)


def test_an_add_followed_by_a_drop_ends_dropped(store: Store) -> None:
    put(store, upsert(ADA), remove(ADA))
    put(store, upsert(BEN))
    put(store, remove(BEN))

    assert [(one.entity, one.intent) for one in lease(store)] == [(ADA, Intent.REMOVE), (BEN, Intent.REMOVE)]


def test_an_entry_that_changed_while_it_was_processed_is_open_again_when_it_ends(store: Store) -> None:
    put(store, upsert(ADA))
    (entry,) = lease(store)
    put(store, remove(ADA), at=NOW + MINUTE)
    assert lease(store, "drain 2", at=NOW + MINUTE) == []

    finish(store, entry, EntryState.DONE, at=NOW + 2 * MINUTE)

    (again,) = lease(store, at=NOW + 2 * MINUTE)
    assert (again.entity, again.intent, again.attempts) == (ADA, Intent.REMOVE, 1)


def test_what_was_found_done_is_done_and_told_with_its_attempt(store: Store) -> None:
    put(store, upsert(ADA))
    (entry,) = lease(store)

    assert finish(store, entry, EntryState.DONE)

    assert lease(store) == []
    assert states(store) == {"1001": EntryState.DONE}
    assert told(store) == [("1001", EntryState.PENDING, "due", 0), ("1001", EntryState.DONE, "sent", 1)]


def test_an_entry_to_be_tried_again_waits_for_its_moment(store: Store) -> None:
    put(store, upsert(ADA))
    (entry,) = lease(store)
    finish(store, entry, EntryState.PENDING, "server-error", due=NOW + HOUR)

    assert lease(store, at=NOW + 59 * MINUTE) == []
    assert [one.attempts for one in lease(store, at=NOW + HOUR)] == [2]


def test_a_failed_entry_is_not_taken_again_and_says_why(store: Store) -> None:
    put(store, upsert(ADA))
    (entry,) = lease(store)
    finish(store, entry, EntryState.FAILED, "email-missing")

    assert lease(store, at=NOW + DAY) == []
    with store.begin() as connection:
        (failed,) = queue_looking.failed(connection, HOME, API)
    assert (failed.entity, failed.rule, failed.error_code, failed.changed_at) == (ADA, "email-missing", "x", NOW)


def test_a_new_change_opens_a_failed_entry_from_its_first_attempt_on(store: Store) -> None:
    put(store, upsert(ADA))
    (entry,) = lease(store)
    finish(store, entry, EntryState.FAILED, "email-missing")

    put(store, upsert(ADA), at=NOW + HOUR)

    assert [one.attempts for one in lease(store, at=NOW + HOUR)] == [1]


def test_a_deferred_entry_opens_at_midnight_where_the_section_is(store: Store) -> None:
    midnight = datetime(2026, 9, 9, 4, 0, tzinfo=UTC)
    put(store, Request(ADA, Intent.UPSERT, SHUT, opens_at=midnight))

    with store.begin() as connection:
        too_early = queue.open_deferred(connection, HOME, API, midnight - MINUTE)
        in_time = queue.open_deferred(connection, HOME, API, midnight)

    assert (too_early, in_time) == (0, 1)
    assert [one.entity for one in lease(store, at=midnight)] == [ADA]


def test_what_is_noted_already_is_not_noted_again(store: Store) -> None:
    first = put(store, upsert(ADA, EXCLUDED), upsert(BEN, SHUT))
    second = put(store, upsert(ADA, EXCLUDED), upsert(BEN, SHUT), at=NOW + HOUR)

    assert first == Counter({EntryState.SKIPPED: 1, EntryState.DEFERRED: 1})
    assert second == Counter()
    assert len(told(store)) == 2


def test_what_a_person_asked_for_is_not_put_off_by_what_is_collected_later(store: Store) -> None:
    put(store, upsert(ADA, forced=True, asked_by="nora"))
    put(store, upsert(ADA, SHUT), at=NOW + MINUTE)

    (entry,) = lease(store, at=NOW + MINUTE)

    assert (entry.forced, entry.asked_by) == (True, "nora")


def test_what_a_person_asked_for_opens_a_deferred_entry(store: Store) -> None:
    put(store, upsert(ADA, SHUT))
    put(store, upsert(ADA, forced=True, asked_by="nora"), at=NOW + MINUTE)

    assert [one.forced for one in lease(store, at=NOW + MINUTE)] == [True]


def test_the_entries_of_a_killed_worker_come_back_when_its_lease_is_over(store: Store) -> None:
    put(store, upsert(ADA))
    (entry,) = lease(store)

    with store.begin() as connection:
        assert queue.release_expired(connection, HOME, API, NOW + HOUR - MINUTE) == 0
        assert queue.release_expired(connection, HOME, API, NOW + HOUR) == 1
    (again,) = lease(store, "drain 2", at=NOW + HOUR)

    assert again.attempts == 2
    assert not finish(store, entry, EntryState.DONE, at=NOW + HOUR)
    assert states(store) == {"1001": EntryState.PROCESSING}


def test_what_a_clock_that_was_ahead_put_off_is_due_again_and_back_off_is_not(store: Store) -> None:
    ahead = NOW + 300 * DAY
    put(store, upsert(ADA), at=ahead)
    put(store, upsert(BEN), upsert(course()), at=NOW)
    [taken] = lease(store, "killed", 1, at=ahead)
    [back] = lease(store, "drain", 1, at=NOW)
    finish(store, back, EntryState.PENDING, "try-again", due=NOW + 6 * HOUR)

    with store.begin() as connection:
        assert queue.heal(connection, HOME, API, NOW, DAY) == 2
        queue.release_expired(connection, HOME, API, NOW)

    assert {one.entity for one in lease(store, at=NOW)} == {ADA, BEN, course()} - {back.entity}
    assert taken.entity != back.entity


def test_a_renewed_lease_is_not_over(store: Store) -> None:
    put(store, upsert(ADA), upsert(BEN))
    lease(store)

    with store.begin() as connection:
        assert queue.renew(connection, HOME, API, "drain 1", NOW + 3 * HOUR) == 2
        assert queue.release_expired(connection, HOME, API, NOW + 2 * HOUR) == 0


def test_what_is_given_back_was_not_tried(store: Store) -> None:
    put(store, upsert(ADA))
    taken = lease(store)

    with store.begin() as connection:
        assert queue.give_back(connection, taken, NOW) == 1

    assert [one.attempts for one in lease(store)] == [1]


def test_entries_that_others_depend_on_are_taken_before_they_are_due(store: Store) -> None:
    put(store, upsert(course(), SHUT), upsert(ADA), upsert(BEN, EXCLUDED))

    with store.begin() as connection:
        wanted = [course(), BEN, enrollment("nobody")]
        taken = queue.lease_entities(connection, HOME, API, "drain 1", wanted, NOW, HOUR)

    assert [one.entity for one in taken] == [course()]
    assert [one.entity for one in lease(store)] == [ADA]


def test_of_many_drains_that_come_at_once_each_entry_goes_to_one(store: Store) -> None:
    people = [enrollment(f"{n}") for n in range(200)]
    put(store, *(upsert(one) for one in people))
    start = threading.Barrier(4)
    taken: list[list[Entity]] = []

    def drain(holder: str) -> None:
        start.wait()
        while some := lease(store, holder, limit=20):
            taken.append([one.entity for one in some])

    drains = [threading.Thread(target=drain, args=(f"drain {n}",)) for n in range(4)]
    for one in drains:
        one.start()
    for one in drains:
        one.join()

    assert sorted(entity for some in taken for entity in some) == sorted(people)


def test_failed_entries_are_tried_again_by_cause_and_by_place_and_it_is_audited(store: Store) -> None:
    put(store, upsert(ADA), upsert(BEN), upsert(course()))
    for entry, rule in zip(lease(store), ("email-missing", "tries-used-up", "sent"), strict=True):
        finish(store, entry, EntryState.FAILED if rule != "sent" else EntryState.DONE, rule)
    which = queue_looking.Selection(rule="email-missing", semester="202610")

    with store.begin() as connection:
        again = queue_looking.requeue(connection, HOME, API, which, by="nora", reason="She has one now", now=NOW + HOUR)

    assert again == 1
    assert states(store) == {"1001": EntryState.PENDING, "1002": EntryState.FAILED, "MTH101": EntryState.DONE}
    assert told(store)[-1] == ("1001", EntryState.PENDING, "requeue", 0)
    with store.begin() as connection:
        (act,) = history.acts(connection, HOME)
    assert (act.actor, act.act, act.reason) == ("nora", "requeue", "She has one now")
    assert act.detail == "1 entries: rule email-missing, semester 202610"


def test_the_unprocessed_count_is_of_what_is_pending(store: Store) -> None:
    put(store, upsert(ADA), upsert(BEN, SHUT), upsert(course(), EXCLUDED))

    with store.begin() as connection:
        found = queue_looking.counts(connection, HOME, API)

    assert found == Counter({EntryState.PENDING: 1, EntryState.DEFERRED: 1, EntryState.SKIPPED: 1})


def test_what_is_done_is_forgotten_with_its_history_and_what_is_not_processed_is_kept(store: Store) -> None:
    put(store, upsert(ADA), upsert(BEN), upsert(course(), SHUT), upsert(enrollment("1003"), EXCLUDED))
    first, second = lease(store)
    finish(store, first, EntryState.DONE)
    finish(store, second, EntryState.FAILED, "email-missing")

    with store.begin() as connection:
        kept = queue_looking.purge(connection, HOME, NOW)
        removed = queue_looking.purge(connection, HOME, NOW + MINUTE)

    assert (kept, removed) == (0, 2 + 3)
    assert states(store) == {"1002": EntryState.FAILED, "MTH101": EntryState.DEFERRED}
    assert {person for person, *_ in told(store)} == {"1002", ""}


def test_what_is_about_to_be_removed_is_known(store: Store) -> None:
    put(store, remove(ADA), upsert(BEN), remove(enrollment("1003"), EXCLUDED))

    with store.begin() as connection:
        assert queue_looking.being_removed(connection, HOME, API) == {ADA}


def test_the_history_of_a_section_and_of_a_person_can_be_read(store: Store) -> None:
    put(store, upsert(ADA), upsert(course()), upsert(Entity(EntryKind.USER, person="1001", site="MAIN")))

    with store.begin() as connection:
        of_section = queue_history.of_section(connection, HOME, MATH.key)
        of_person = queue_history.of_person(connection, HOME, "1001")

    assert [one.outcome.entity for one in of_section] == [course(), ADA]
    assert [one.outcome.entity.kind for one in of_person] == [EntryKind.USER, EntryKind.ENROLLMENT]


def test_a_verdict_that_says_something_else_is_noted_anew(store: Store) -> None:
    put(store, upsert(ADA, EXCLUDED))
    later = Verdict(EntryState.DEFERRED, "before-window", "It waits.", opens_on=date(2026, 10, 1))

    assert put(store, upsert(ADA, later)) == Counter({EntryState.DEFERRED: 1})
    assert put(store, upsert(ADA, DUE)) == Counter({EntryState.PENDING: 1})
    assert [one.entity for one in lease(store)] == [ADA]
