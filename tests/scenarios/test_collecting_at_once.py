"""Collecting, draining and people at the same time: nothing is lost, whoever comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from rosterflow.domain.coursekey.queue import EntryKind, EntryState
from rosterflow.store import queue
from rosterflow.sync.queueing import What, queue_by_hand
from tests.scenarios.campus import MINUTE, NOW, a_section, campus, course, enrollment, registration, section


def together(*works: Callable[[], object]) -> None:
    start = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        start.wait()
        work()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_collectors_and_a_person_queue_each_entity_once(tmp_path: Path) -> None:
    with campus(tmp_path) as one:
        numbers = a_section(one.registrar, 30)
        one.collect()
        one.registrar.have(section(title="Renamed"), at=NOW + MINUTE)
        one.registrar.have(*(registration(number) for number in numbers), at=NOW + MINUTE)

        together(
            lambda: one.collect(NOW + MINUTE),
            lambda: one.collect(NOW + MINUTE),
            lambda: queue_by_hand(one.store, one.college, What.ENROLLMENTS, "202610", by="nora", reason="Now", now=NOW),
        )

        assert one.states() == {EntryState.PENDING: 33}
        students = [entity for entity, _ in one.drain(NOW + MINUTE) if entity.kind is EntryKind.ENROLLMENT]
        assert sorted(students) == [enrollment(number) for number in numbers]


def test_a_change_that_is_collected_while_its_entry_is_sent_is_sent_again(tmp_path: Path) -> None:
    with campus(tmp_path) as one:
        a_section(one.registrar, 1)
        one.collect()
        key, api_name = one.college.key, one.college.coursekey.api_name

        with one.store.begin() as connection:
            taken = queue.lease(connection, key, api_name, "drain", 100, NOW, 10 * MINUTE)
        one.registrar.have(section(title="Renamed"), at=NOW + MINUTE)
        one.collect(NOW + MINUTE)
        with one.store.begin() as connection:
            for entry in taken:
                queue.finish(connection, entry, EntryState.DONE, "sent", "Done.", NOW + MINUTE)

        assert one.entries()[course()].state is EntryState.PENDING
        assert course() in {entity for entity, _ in one.drain(NOW + MINUTE)}
        assert one.drain(NOW + MINUTE) == []
