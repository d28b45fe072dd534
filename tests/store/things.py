"""What the tests of the store put into it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from rosterflow.domain.model import Account, Course, Key, Kind, Origin, Section, SourceKind, State, Term
from rosterflow.domain.plan import Action, Change, Plan
from rosterflow.domain.snapshot import Scope
from rosterflow.store import plans, runs

NOW = datetime(2026, 9, 1, 1, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
HOME = "north"

UNIT = Account("184_12_0_0", "Institutt for nærlesning «Ærlig»", "FSDEMO")
TERM = Term("2026_HØST", "Høst 2026", NOW, NOW + 100 * DAY, origin=Origin(SourceKind.TERMIN, "2026_HØST"))
COURSE = Course(
    "UE_184_ØV-1_1_2026_HØST_1",
    'ØV-1 "H26"',
    "Øving, del 1",
    "184_12_0_0",
    "2026_HØST",
    end=NOW + 90 * DAY,
    origin=Origin(SourceKind.UNDERVISNINGSENHET, "2026_HØST", "UE_ØV-1_2026_HØST"),
)
SECTION = Section("UA_1", "Gruppe 1", COURSE.sis_id, State.DELETED, Origin(SourceKind.UNDERVISNINGSAKTIVITET))
EVERYTHING = (UNIT, TERM, COURSE, SECTION)
UNIT_KEY = Key(Kind.ACCOUNT, UNIT.sis_id)


def create(thing: Account | Course | Section | Term) -> Change:
    return Change(Action.CREATE, None, thing, "new", "The source has it and Canvas does not.")


def a_run(connection: Connection, number: int = 1, institution: str = HOME) -> runs.Run:
    scope = Scope(frozenset({"2026_HØST"}))
    return runs.open_run(connection, institution, "sync", f"run {number}", "apply", scope, NOW)


def a_plan(connection: Connection, *changes: Change, number: int = 1, institution: str = HOME) -> int:
    run = a_run(connection, number, institution)
    plan = Plan(changes, Counter({Kind.COURSE: 3}))
    return plans.save_plan(connection, institution, run.id, plan, first_contact=False, now=NOW)
