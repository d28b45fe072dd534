"""From a course site to a school in CourseKey, and from Enrollment Code 4 to an attendance name.

Source: source document, Campus Cafe STParm and Custom Control Configuration; reference coursekey §4 (CRSKEYAUTH,
RCCONO, RGENCD). The auth keys themselves are secrets and live in Airflow connections.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints

from rosterflow.domain.institution import ConnectionId, Zone
from rosterflow.domain.people_settings import Model

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def _alias(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d*-[1-5]", text):
        raise ValueError(f"{text!r} is no pair of CRSKEYAUTH; write its sequence and its number there, like 1-1")
    return text


Alias = Annotated[str, AfterValidator(_alias)]


class Pair(Model):
    """One pair of CRSKEYAUTH: an auth key with its time zone, and a school id with its course site."""

    alias: Alias = Field(description="Sequence and number of the pair in CRSKEYAUTH, like 1-1; what the key is called.")
    connection: ConnectionId = Field(description="Airflow connection of type coursekey that holds the auth key.")
    timezone: Zone | None = Field(None, description="The key's own time zone; none: COURSEKEY_TIMEZONE.")
    school: Text = Field(description="CourseKey's School ID; text, since it may begin with zeros.")
    site: Text = Field(description="The course site (RCCONO) whose sections belong to the school.")


class School(NamedTuple):
    """Where in CourseKey the sections of a course site are.

    :param alias: what the auth key is called (``1-1``); the key itself is never named.
    :param connection: Airflow connection that holds the key.
    """

    alias: str
    connection: str
    school_id: str
    zone: ZoneInfo


def canonical_zone(name: str) -> str:
    """The name of a zone in the tz database, for the ``US/…`` names that are only links to it there."""
    return _CANONICAL.get(name, name)


_CANONICAL = {
    "US/Alaska": "America/Anchorage",
    "US/Aleutian": "America/Adak",
    "US/Arizona": "America/Phoenix",
    "US/Central": "America/Chicago",
    "US/East-Indiana": "America/Indiana/Indianapolis",
    "US/Eastern": "America/New_York",
    "US/Hawaii": "Pacific/Honolulu",
    "US/Indiana-Starke": "America/Indiana/Knox",
    "US/Michigan": "America/Detroit",
    "US/Mountain": "America/Denver",
    "US/Pacific": "America/Los_Angeles",
    "US/Samoa": "Pacific/Pago_Pago",
}


def pair_problems(pairs: Iterable[Mapping[str, object]], sites: Iterable[str]) -> Iterator[str]:
    """What does not fit together in CRSKEYAUTH, one sentence each.

    :param pairs: as they stand in the settings file, checked one by one already or not.
    :param sites: the course sites of RCCONO.
    """
    pairs = list(pairs)
    known = set(sites)
    for name in ("alias", "site"):
        for value, count in Counter(pair.get(name) for pair in pairs).items():
            if value is not None and count > 1:
                yield f"crskeyauth: {name} {value!r} is given {count} times"
    keys_of: dict[object, set[object]] = {}
    for pair in pairs:
        keys_of.setdefault(pair.get("school"), set()).add(pair.get("connection"))
        if (site := pair.get("site")) is not None and site not in known:
            yield f"crskeyauth: site {site!r} is not in RCCONO"
    for school, connections in keys_of.items():
        if school is not None and len(connections) > 1:
            yield f"crskeyauth: school {school!r} is under {len(connections)} auth keys"


def attendance_name(description: str) -> str | None:
    """The attendance name that a description of RGENCD stands for: ``4:Internship`` gives ``Internship``.

    The number is the enrollment code that the value is for; with another than 4, or none, it is no attendance name.
    """
    found = re.fullmatch(r"\s*4\s*:\s*(.*\S)\s*", description, re.DOTALL)
    return found[1] if found else None
