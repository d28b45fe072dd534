"""What Campus Cafe holds: resources of flat records in the form its API shows them, each change with its moment.

Source: docs/coursekey-contract.md, Campus Cafe.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    Record = dict[str, Any]
    Key = tuple[str, ...]


class InvalidRecord(ValueError):
    """A record that Campus Cafe cannot hold; the message is a sentence that names what is wrong."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of record: the fields that name one, and all others with what they are when nobody says."""

    name: str
    key: tuple[str, ...]
    others: Mapping[str, Any]

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of all fields, in the order they are shown."""
        return (*self.key, *self.others, "modifiedAt")

    def key_of(self, record: Mapping[str, Any]) -> Key:
        """The name of a record. Raises InvalidRecord when a part of it is no text."""
        for field in self.key:
            if not isinstance(record.get(field), str) or not record[field]:
                raise InvalidRecord(f"{field} must be given, as a text, to name one of the {self.name}.")
        return tuple(record[field] for field in self.key)


SECTION_KEY = ("semester", "courseNumber", "section")

RESOURCES = {
    resource.name: resource
    for resource in (
        Resource("semesters", ("code",), {"description": "", "beginDate": None, "endDate": None}),
        Resource(
            "sections",
            SECTION_KEY,
            {
                "title": "",
                "site": "",
                "beginDate": None,
                "endDate": None,
                "startTime": None,
                "endTime": None,
                "days": [],
                "enrollmentCode4": "",
                "contactHours": None,
                "labHours": None,
                "excludeFromLms": False,
                "isCancelled": False,
                "meetings": [],
            },
        ),
        Resource("persons", ("id",), {"firstName": "", "lastName": "", "email": ""}),
        Resource("staff", (*SECTION_KEY, "personId"), {"isPrimary": False, "isRemoved": False}),
        Resource(
            "registrations",
            (*SECTION_KEY, "personId"),
            {
                "status": "registered",
                "registeredAt": None,
                "droppedOn": None,
                "startOverride": None,
                "endOverride": None,
            },
        ),
        Resource("attendance", (*SECTION_KEY, "personId", "date"), {"hours": 0, "minutes": 0, "origin": "manual"}),
        Resource("enrollment-details", (*SECTION_KEY, "personId"), {"lastDateAttended": None, "isManual": False}),
        Resource("attendance-exceptions", (*SECTION_KEY, "date"), {"addsToAccumulatedTime": False}),
    )
}
"""Every resource by its name in the API."""


def stamp(moment: datetime) -> str:
    """A moment as Campus Cafe writes it: UTC, whole seconds, `Z`; such texts sort like the moments."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class College:
    """All that Campus Cafe knows of one college. A record is never edited in place: a change replaces it.

    `shift` is how much later than usual its semesters are, `days` counts the days of change that were played,
    `passwords` are the initial ones by person.
    """

    def __init__(self, seed: int, year: int, now: Callable[[], datetime], shift: timedelta = timedelta()) -> None:
        self.seed = seed
        self.year = year
        self.shift = shift
        self.now = now
        self.days = 0
        self.passwords: dict[str, str] = {}
        self.lock = threading.RLock()
        self._tables: dict[str, dict[Key, Record]] = {name: {} for name in RESOURCES}
        self._ordered: dict[str, list[Record]] = {}
        self._latest = ""

    @property
    def semester(self) -> str:
        """The code of the semester in force, the fall of the college's year."""
        return f"{self.year}10"

    @property
    def next_semester(self) -> str:
        """The code of the spring after it."""
        return f"{self.year}20"

    def get(self, resource: str, *key: str) -> Record | None:
        """One record, or None."""
        return self._tables[resource].get(key)

    def put(self, resource: str, given: Mapping[str, Any]) -> Record:
        """Add a record, or change the given fields of the one of that name; return it as it is now.

        A last date attended set by hand takes the student's later attendance in that section away, for good.

        It was modified now, and never before what was modified last, unless `modifiedAt` is given.
        Values are taken as they are, so that a broken record can be had. Raises InvalidRecord for an unknown field.
        """
        kind = RESOURCES[resource]
        key = kind.key_of(given)
        fields = kind.fields
        if unknown := [field for field in given if field not in fields]:
            raise InvalidRecord(f"{unknown[0]} is not a field of the {resource}; the fields are {', '.join(fields)}.")
        with self.lock:
            former = self._tables[resource].get(key, kind.others)
            record = {**dict(zip(kind.key, key, strict=True)), **former, **given}
            record["modifiedAt"] = given.get("modifiedAt") or max(stamp(self.now()), self._latest)
            self._latest = max(self._latest, record["modifiedAt"])
            self._tables[resource][key] = record
            self._ordered.pop(resource, None)
            if resource == "enrollment-details" and record["isManual"] and record["lastDateAttended"]:
                self._end_attendance(key, record["lastDateAttended"])
        return record

    def _end_attendance(self, key: Key, last: str) -> None:
        table = self._tables["attendance"]
        for name in [name for name in table if name[: len(key)] == key and name[-1] > last]:
            del table[name]
        self._ordered.pop("attendance", None)

    def delete(self, resource: str, given: Mapping[str, Any]) -> None:
        """Take a record away without a trace. Raises InvalidRecord when there is none of that name."""
        key = RESOURCES[resource].key_of(given)
        with self.lock:
            if self._tables[resource].pop(key, None) is None:
                raise InvalidRecord(f"There is no {'/'.join(key)} among the {resource}.")
            self._ordered.pop(resource, None)

    def rows(self, resource: str, semesters: Collection[str] = (), since: str = "") -> list[Record]:
        """The records by `modifiedAt` and name: all, or those of some semesters, or modified at a stamp or later.

        A semester leaves persons and semesters as they are.
        """
        with self.lock:
            rows = self._ordered.get(resource)
            if rows is None:
                order = itemgetter("modifiedAt", *RESOURCES[resource].key)
                rows = self._ordered[resource] = sorted(self._tables[resource].values(), key=order)
        if semesters and "semester" in RESOURCES[resource].key:
            rows = [row for row in rows if row["semester"] in semesters]
        return [row for row in rows if row["modifiedAt"] >= since] if since else rows

    def counts(self) -> dict[str, int]:
        """How many records of each resource there are."""
        return {name: len(table) for name, table in self._tables.items()}
