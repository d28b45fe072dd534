"""What Canvas's provisioning report says of an institution: objects, and rosters as far as people are kept in step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator

from rosterflow.domain.institution import Institution
from rosterflow.domain.model import Key
from rosterflow.domain.rosters import Thing
from rosterflow.wire.provisioning_csv import objects_of
from rosterflow.wire.provisioning_people import others_of, rosters_of

OBJECTS = ("accounts", "terms", "courses", "sections")
PEOPLE = ("enrollments", "admins")


def reported_kinds(institution: Institution) -> tuple[str, ...]:
    """The kinds that the base is taken from."""
    if not institution.people.sync:
        return OBJECTS
    users = ("users",) if institution.people.users.provision else ()
    return (*OBJECTS, *users, *PEOPLE)


def kinds_for_undo(institution: Institution) -> tuple[str, ...]:
    """The kinds that an undo looks at: people too, whoever keeps them in step, for others must not go with ours."""
    return tuple(dict.fromkeys((*reported_kinds(institution), *PEOPLE)))


def others_in(institution: Institution, report: bytes) -> dict[Key, Counter[str]]:
    """By place and state, how many enrollments and administrators in a report are not ours.

    :raises RetryableError: as :func:`things_of`.
    """
    return others_of(report, _is_ours(institution) if institution.people.sync else lambda _: False)


def things_of(institution: Institution, report: bytes, only: Container[str] | None = None) -> Iterator[Thing]:
    """Everything in a report: objects whose origin is not known yet, and rosters.

    :param report: the downloaded file.
    :param only: objects and people with these SIS ids alone, and one more of each kind, to tell that it is listed.
    :raises RetryableError: ``bad-response`` when a file is broken or has an unknown status.
    """
    yield from objects_of(report, only)
    if not institution.people.sync:
        return
    yield from rosters_of(report, _is_ours(institution), only).values()


def _is_ours(institution: Institution) -> Callable[[str], bool]:
    """Whether a SIS id is that of a user of ours."""
    prefix = f"FS_{institution.number}_" if institution.people.users.sis_id == "personlopenummer" else ""
    return lambda user: user.startswith(prefix)
