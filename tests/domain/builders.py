"""Objects of an invented college, short enough to read in a test."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from rosterflow.domain.confirmed import ConfirmedObject, World
from rosterflow.domain.decisions import Decision
from rosterflow.domain.diff import diff
from rosterflow.domain.institution import Guards, Limit, Removal
from rosterflow.domain.model import Account, CanvasObject, Course, Key, Kind, Origin, Section, SourceKind, Term, key_of
from rosterflow.domain.plan import Plan
from rosterflow.domain.snapshot import Scope, Snapshot

ROOT = "college"
PAST, NOW, NEXT, LATER = "2026_VÅR", "2026_HØST", "2027_VÅR", "2027_HØST"
CLOCK = datetime(2026, 9, 1, 3, 30, tzinfo=UTC)


def unit(sis_id: str, parent: str = ROOT, name: str = "Unit", **fields: Any) -> Account:
    return Account(sis_id, name, parent, **fields)


def emne(kode: str, version: int = 1, parent: str = ROOT, name: str = "Emne", **fields: Any) -> Account:
    origin = Origin(SourceKind.EMNE, lineage=f"EMNE_{kode}")
    return Account(f"EMNE_{kode}_{version}", name, parent, origin=origin, **fields)


def programme(kode: str, parent: str = ROOT, name: str = "Programme", **fields: Any) -> Account:
    origin = Origin(SourceKind.STUDIEPROGRAM)
    return Account(f"STUDIEPROGRAM_{kode}", name, parent, origin=origin, **fields)


def term(sis_id: str = NOW, name: str = "Term", **fields: Any) -> Term:
    return Term(sis_id, name, origin=Origin(SourceKind.TERMIN, sis_id), **fields)


def ue(
    kode: str, version: int = 1, when: str = NOW, account: str | None = None, name: str = "Course", **fields: Any
) -> Course:
    """The course of an undervisningsenhet, in the account of its emne unless told."""
    origin = Origin(SourceKind.UNDERVISNINGSENHET, when, f"UE_{kode}_{when}")
    account = account or f"EMNE_{kode}_{version}"
    return Course(f"UE_{kode}_{version}_{when}", kode, name, account, when, origin=origin, **fields)


def programme_course(kode: str, account: str | None = None, name: str = "Course", **fields: Any) -> Course:
    origin = Origin(SourceKind.STUDIEPROGRAM)
    return Course(f"COURSE_{kode}", kode, name, account or f"STUDIEPROGRAM_{kode}", origin=origin, **fields)


def ue_section(
    kode: str, version: int = 1, when: str = NOW, course: str | None = None, name: str = "Section", **fields: Any
) -> Section:
    """The section of an undervisningsenhet, in its own course unless told."""
    sis_id = f"UE_{kode}_{version}_{when}"
    origin = Origin(SourceKind.UNDERVISNINGSENHET, when, f"UE_{kode}_{when}")
    return Section(sis_id, name, course or sis_id, origin=origin, **fields)


def ua_section(code: str, course: str, when: str = NOW, name: str = "Group", **fields: Any) -> Section:
    return Section(f"UA_{code}", name, course, origin=Origin(SourceKind.UNDERVISNINGSAKTIVITET, when), **fields)


def account_key(sis_id: str) -> Key:
    return Key(Kind.ACCOUNT, sis_id)


def world(*things: CanvasObject, owned: dict[CanvasObject, Iterable[str]] | None = None) -> World:
    """Everything Canvas confirmed; ``owned`` names fields that people changed there."""
    return World(ConfirmedObject(thing, frozenset((owned or {}).get(thing, ()))) for thing in things)


def wants(
    *things: CanvasObject,
    scope: Scope | None = None,
    gaps: tuple[str, ...] = (),
    untouchable: Iterable[Key] = (),
    decisions: tuple[Decision, ...] = (),
) -> Snapshot:
    """What the source says, by default completely and for this term and the next."""
    scope = scope or Scope(frozenset({NOW, NEXT}))
    return Snapshot(scope, {key_of(t): t for t in things}, gaps, frozenset(untouchable), decisions)


def plan(
    snapshot: Snapshot, there: World, removal: Removal | None = None, rejected: Iterable[tuple[Key, Key]] = ()
) -> Plan:
    """The plan when Canvas has refused nothing lately.

    :param rejected: changes of an id that a person rejected, as old and new key.
    """
    return diff(snapshot, there, removal or Removal(), {}, CLOCK, frozenset(rejected))


def limits(*, removals: tuple[float, int] = (10, 5), updates: tuple[float, int] = (50, 20)) -> Guards:
    """Guards from pairs of percent and floor."""
    return Guards(
        removals=Limit(percent=removals[0], floor=removals[1]), updates=Limit(percent=updates[0], floor=updates[1])
    )


NO_LIMITS = limits(removals=(100, 10_000), updates=(100, 10_000))
