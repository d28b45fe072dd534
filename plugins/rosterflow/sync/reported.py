"""What Canvas's provisioning report says of an institution: objects, and rosters as far as people are kept in step."""

from __future__ import annotations

from collections.abc import Iterator

from rosterflow.domain.institution import Institution
from rosterflow.domain.rosters import Thing
from rosterflow.wire.provisioning_csv import objects_of
from rosterflow.wire.provisioning_people import rosters_of

OBJECTS = ("accounts", "terms", "courses", "sections")
PEOPLE = ("enrollments", "admins")


def reported_kinds(institution: Institution) -> tuple[str, ...]:
    """The kinds that the base is taken from."""
    if not institution.people.sync:
        return OBJECTS
    users = ("users",) if institution.people.users.provision else ()
    return (*OBJECTS, *users, *PEOPLE)


def things_of(institution: Institution, report: bytes) -> Iterator[Thing]:
    """Everything in a report: objects whose origin is not known yet, and rosters.

    :param report: the downloaded file.
    :raises RetryableError: ``bad-response`` when a file is broken or has an unknown status.
    """
    yield from objects_of(report)
    if not institution.people.sync:
        return
    ours = f"FS_{institution.number}_" if institution.people.users.sis_id == "personlopenummer" else ""
    yield from rosters_of(report, lambda user: user.startswith(ours)).values()
