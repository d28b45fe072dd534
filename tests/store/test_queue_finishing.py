"""Many entries finished at once, and a lease that leaves the backlog of some sites alone."""

from __future__ import annotations

from datetime import timedelta

from rosterflow.domain.coursekey.queue import Entity, EntryState
from rosterflow.store import queue, queue_history
from rosterflow.store.engine import Store
from rosterflow.store.queue import Request
from rosterflow.store.queue_finishing import Ending, finish_all
from tests.store.campus_things import API, HOME, HOUR, NOW, enrollment, upsert

ADA, BEN, CAT, DAN = (enrollment(str(1001 + number)) for number in range(4))
LATER = NOW + timedelta(hours=1)


def put(store: Store, *requests: Request) -> None:
    with store.begin() as connection:
        queue.put(connection, HOME, API, requests, NOW)


def states(store: Store) -> dict[Entity, tuple[EntryState, str]]:
    with store.begin() as connection:
        found = queue.about(connection, HOME, API, (ADA, BEN, CAT, DAN))
    return {entity: (entry.state, entry.rule) for entity, entry in found.items()}


def test_entries_that_are_finished_at_once_end_as_they_do_one_by_one(store: Store) -> None:
    put(store, *(upsert(one) for one in (ADA, BEN, CAT, DAN)))
    with store.begin() as connection:
        taken = {one.entity: one for one in queue.lease(connection, HOME, API, "one", 100, NOW, HOUR)}
    put(store, upsert(BEN))
    with store.begin() as connection:
        queue.release_expired(connection, HOME, API, NOW + 2 * HOUR)
        [other] = queue.lease_entities(connection, HOME, API, "other", [CAT], NOW, HOUR)
        queue.lease_entities(connection, HOME, API, "one", [ADA, BEN, DAN], NOW, HOUR)
    done = [Ending(taken[one], EntryState.DONE, "sent", "Sent.") for one in (ADA, BEN, CAT)]
    put_off = Ending(taken[DAN], EntryState.PENDING, "try-again", "No answer.", "unreachable", LATER)

    with store.begin() as connection:
        finish_all(connection, HOME, API, [*done, put_off], NOW)

    assert states(store) == {
        ADA: (EntryState.DONE, "sent"),
        BEN: (EntryState.PENDING, queue.CHANGED),
        CAT: (EntryState.PROCESSING, other.rule),
        DAN: (EntryState.PENDING, "try-again"),
    }
    with store.begin() as connection:
        assert queue.about(connection, HOME, API, [DAN])[DAN].due_at == LATER
        told = [line.outcome for line in queue_history.latest(connection, HOME, 4)]
    assert {(one.entity, one.state, one.rule, one.by, one.attempt, one.error_code) for one in told} == {
        (ADA, EntryState.DONE, "sent", "one", 1, ""),
        (BEN, EntryState.DONE, "sent", "one", 1, ""),
        (CAT, EntryState.DONE, "sent", "one", 1, ""),
        (DAN, EntryState.PENDING, "try-again", "one", 1, "unreachable"),
    }


def test_a_lease_for_some_sites_takes_the_oldest_of_them_and_what_belongs_to_none(store: Store) -> None:
    put(store, *(upsert(one)._replace(at_site=site) for one, site in ((ADA, "WEST"), (BEN, "MAIN"), (CAT, "NORTH"))))
    put(store, upsert(DAN))

    with store.begin() as connection:
        one, two = queue.lease(connection, HOME, API, "drain", 2, NOW, HOUR, sites={"MAIN", "NORTH"})
        [three] = queue.lease(connection, HOME, API, "drain", 2, NOW, HOUR, sites={"MAIN", "NORTH"})
        rest = queue.lease(connection, HOME, API, "drain", 2, NOW, HOUR, sites={"MAIN", "NORTH"})

    assert [one.entity, two.entity, three.entity] == [BEN, CAT, DAN]
    assert rest == []


def test_an_entry_keeps_its_site_when_nobody_knows_it_any_more(store: Store) -> None:
    put(store, upsert(ADA)._replace(at_site="WEST"))
    put(store, upsert(ADA))

    with store.begin() as connection:
        assert queue.lease(connection, HOME, API, "drain", 9, NOW, HOUR, sites={"MAIN"}) == []
        assert len(queue.lease(connection, HOME, API, "drain", 9, NOW, HOUR, sites={"WEST"})) == 1
