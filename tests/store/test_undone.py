"""What is remembered of undos, and who ended with a place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from rosterflow.domain.model import Course, Kind, State
from rosterflow.domain.plan import Plan
from rosterflow.domain.rosters import STANDINGS, Place, Roster
from rosterflow.domain.snapshot import Scope
from rosterflow.domain.undone import Undone
from rosterflow.store import approvals, looking, plans, runs, undone
from rosterflow.store.engine import Store
from rosterflow.store.retention import purge_plans
from rosterflow.store.tables import undone as table

NOW = datetime(2026, 9, 1, tzinfo=UTC)
COURSE = Course("UE_1", "A", "Kurs A", "184_1", "2026_HØST")
GONE = replace(COURSE, state=State.DELETED)
THERE = Roster(Kind.ENROLLMENT, Place(Kind.COURSE, "UE_1"), "StudentEnrollment", {"FS_1": STANDINGS["active"]})
USERS = Roster(Kind.USER, None, "3f", {"FS_1": ("kari@x.no", "Kari", "Kari", "kari@x.no", "active")}, part="undo, hide")
LEFT = replace(THERE, part="undo, delete")


def one(plan_id: int, was: Course | Roster, became: Course | Roster) -> Undone:
    return Undone(plan_id, was, became, date(2026, 9, 2), "wrong file")


REMEMBERED = [
    one(3, COURSE, GONE),
    one(3, LEFT, replace(LEFT, members={"FS_1": STANDINGS["deleted"]})),
    one(4, USERS, replace(USERS, members={"FS_1": (*USERS.members["FS_1"][:-1], "suspended")})),
]


def test_what_was_undone_is_found_as_it_was_remembered(store: Store) -> None:
    with store.begin() as connection:
        undone.remember(connection, "demo", REMEMBERED)
        undone.remember(connection, "other", REMEMBERED[:1])

    with store.begin() as connection:
        assert undone.load(connection, "demo") == REMEMBERED
        assert undone.load(connection, "demo", "UE_1") == REMEMBERED[:1]


def test_remembering_again_is_remembering_once(store: Store) -> None:
    for _ in range(2):
        with store.begin() as connection:
            undone.remember(connection, "demo", REMEMBERED)

    with store.begin() as connection:
        assert undone.load(connection, "demo") == REMEMBERED


def test_what_counts_no_more_is_forgotten(store: Store) -> None:
    with store.begin() as connection:
        undone.remember(connection, "demo", REMEMBERED)
        undone.replace(connection, "demo", REMEMBERED[:1])

    with store.begin() as connection:
        assert undone.load(connection, "demo") == REMEMBERED[:1]


def test_users_are_sealed(store: Store) -> None:
    with store.begin() as connection:
        undone.remember(connection, "demo", REMEMBERED)
        rows = connection.execute(select(table.c.was, table.c.became)).all()

    assert all("kari" not in text.lower() for row in rows for text in row)


def planned(store: Store, mode: str, day: int = 0) -> int:
    """A plan of a run."""
    with store.begin() as connection:
        scope = Scope(frozenset({"2026_HØST"}))
        run = runs.open_run(connection, "demo", "dag", f"{mode} {day}", mode, scope, NOW)
        made = Plan((), {})  # type: ignore[arg-type]
        return plans.save_plan(connection, "demo", run.id, made, first_contact=False, now=NOW + timedelta(days=day))


def test_who_ended_is_kept_as_long_as_the_plan(store: Store) -> None:
    number = planned(store, "apply")
    planned(store, "apply", day=40)
    with store.begin() as connection:
        undone.remember_ended(connection, "demo", number, [THERE])
        assert undone.ended_by(connection, "demo", number) == (THERE,)

        purge_plans(connection, "demo", NOW + timedelta(days=30), NOW)

        assert undone.ended_by(connection, "demo", number) == ()


def test_a_plan_that_undoes_is_none_of_what_the_source_wants(store: Store) -> None:
    daily, undoing = planned(store, "apply"), planned(store, runs.UNDO)

    with store.begin() as connection:
        newest, of_source = (looking.find_plan(connection, None, "demo", of_source=only) for only in (False, True))
    assert (newest and newest.id, of_source and of_source.id) == (undoing, daily)


def test_the_requests_about_undos_are_told_from_others(store: Store) -> None:
    asked = []
    for number in (planned(store, "apply"), planned(store, runs.UNDO)):
        with store.begin() as connection:
            asked.append(
                approvals.ask(connection, "demo", number, [], "hash", two_person=False, first_contact=False, now=NOW)
            )

    with store.begin() as connection:
        assert approvals.undo_requests(connection, "demo") == frozenset(asked[1:])
        assert approvals.undo_requests(connection, "other") == frozenset()
