"""What a Canvas account tree is made of, as the source wants it or as Canvas confirmed it.

The four kinds of object carry only fields that SIS CSV files have (Canvas contract §5). ``Origin`` says which row of
the source an object stands for; it is never compared, because where an object comes from is not part of what it is.

What is made by the ten thousand and compared by all of its fields is a ``msgspec.Struct``, here and elsewhere: it is as
frozen as a dataclass, and made in a tenth of the time (docs/benchmarks.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, NamedTuple, Protocol

import msgspec


class Kind(StrEnum):
    """Kinds of Canvas object, in the order in which Canvas processes them (Canvas contract §3.4)."""

    ACCOUNT = "account"
    TERM = "term"
    COURSE = "course"
    SECTION = "section"
    USER = "user"
    ENROLLMENT = "enrollment"
    ADMIN = "admin"


class SourceKind(StrEnum):
    """Kinds of row in the student system, by its own words."""

    TERMIN = "termin"
    ORGANISASJONSENHET = "organisasjonsenhet"
    EMNE = "emne"
    UNDERVISNINGSENHET = "undervisningsenhet"
    UNDERVISNINGSAKTIVITET = "undervisningsaktivitet"
    STUDIEPROGRAM = "studieprogram"
    KULL = "kull"
    KLASSE = "klasse"
    EVU_KURS = "evu-kurs"
    BRUKER = "bruker"
    EMNESTUDIERETT = "emnestudierett"
    PROGRAMSTUDIERETT = "programstudierett"
    KLASSEMEDLEMSKAP = "klassemedlemskap"
    EVU_DELTAKELSE = "evu-deltakelse"
    PERSONROLLE = "personrolle"


class State(StrEnum):
    """Where an object is in its life, as far as we steer it; published or not is the teachers' own."""

    ACTIVE = "active"
    UNPUBLISHED = "unpublished"
    COMPLETED = "completed"
    DELETED = "deleted"


class Key(NamedTuple):
    """Identity of a Canvas object inside one institution."""

    kind: Kind
    sis_id: str

    def __str__(self) -> str:
        return f"{self.kind} {self.sis_id}"


class Origin(msgspec.Struct, frozen=True):
    """The row of the source that an object stands for.

    :param source: its kind.
    :param term: SIS id of the last term in which the source has it (``2026_HØST``); ``None`` when it has none.
    :param lineage: what stays the same when a version code is bumped, to recognise a changed SIS id; ``""`` for none.
    """

    source: SourceKind
    term: str | None = None
    lineage: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of Canvas; ``parent`` is the SIS id of the account above."""

    kind: ClassVar[Kind] = Kind.ACCOUNT
    sis_id: str
    name: str
    parent: str
    state: State = State.ACTIVE
    origin: Origin = field(default=Origin(SourceKind.ORGANISASJONSENHET), compare=False)


@dataclass(frozen=True, slots=True)
class Term:
    """A term; ``start`` and ``end`` are aware UTC instants, ``None`` when open."""

    kind: ClassVar[Kind] = Kind.TERM
    sis_id: str
    name: str
    start: datetime | None = None
    end: datetime | None = None
    state: State = State.ACTIVE
    origin: Origin = field(default=Origin(SourceKind.TERMIN), compare=False)


@dataclass(frozen=True, slots=True)
class Course:
    """A course.

    :param term: SIS id of its term, ``None`` for Canvas's default term.
    :param start: aware UTC instant, ``None`` when the term rules; ``end`` likewise.
    """

    kind: ClassVar[Kind] = Kind.COURSE
    sis_id: str
    short_name: str
    long_name: str
    account: str
    term: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    state: State = State.ACTIVE
    origin: Origin = field(default=Origin(SourceKind.UNDERVISNINGSENHET), compare=False)


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the course with the SIS id ``course``."""

    kind: ClassVar[Kind] = Kind.SECTION
    sis_id: str
    name: str
    course: str
    state: State = State.ACTIVE
    origin: Origin = field(default=Origin(SourceKind.UNDERVISNINGSENHET), compare=False)


CanvasObject = Account | Term | Course | Section

TYPES: dict[Kind, type[Account] | type[Term] | type[Course] | type[Section]] = {
    Kind.ACCOUNT: Account,
    Kind.TERM: Term,
    Kind.COURSE: Course,
    Kind.SECTION: Section,
}

FIELDS: dict[Kind, tuple[str, ...]] = {
    Kind.ACCOUNT: ("name", "parent"),
    Kind.TERM: ("name", "start", "end"),
    Kind.COURSE: ("short_name", "long_name", "account", "term", "start", "end"),
    Kind.SECTION: ("name", "course"),
}
"""The fields of each kind that an update can change, beside ``state``."""


class Identified(Protocol):
    """What has an identity of its own in Canvas, or in what we send there."""

    @property
    def kind(self) -> Kind:
        """Its kind."""

    @property
    def sis_id(self) -> str:
        """Its id, unique among those of its kind."""


def key_of(thing: Identified) -> Key:
    """The identity of an object."""
    return Key(thing.kind, thing.sis_id)


def parents_of(thing: CanvasObject) -> tuple[Key, ...]:
    """What must exist before this object can: its parent account, its account and term, or its course."""
    match thing:
        case Account():
            return (Key(Kind.ACCOUNT, thing.parent),)
        case Course():
            term = (Key(Kind.TERM, thing.term),) if thing.term else ()
            return (Key(Kind.ACCOUNT, thing.account), *term)
        case Section():
            return (Key(Kind.COURSE, thing.course),)
        case Term():
            return ()
