"""Campus Cafe's data as one table of facts: its resources, fields and pages (docs/coursekey-contract.md).

Campus Cafe publishes no interface for this data, so this is our first guess; whatever its answer may change stands here
and nowhere else. The folder of CSV files has the same fields (:mod:`rosterflow.wire.campus_cafe_csv`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import msgspec

from rosterflow.domain.coursekey.campus import RECORDS, Record, Resource

TIMES = frozenset({"starts", "ends"})
"""Our names of times of day; they come to the minute, ``09:00``."""

_TO_THE_MINUTE = re.compile(r"^(\d\d:\d\d)$")


class Unusable(ValueError):
    """A row that cannot be used; the message names field and key, and no other value of it.

    :param is_named: whether its key is known, so that it can be told from other such rows.
    """

    def __init__(self, message: str, *, is_named: bool = True) -> None:
        super().__init__(message)
        self.is_named = is_named


@dataclass(frozen=True, slots=True)
class Table:
    """One resource.

    :param path: below the prefix.
    :param fields: their fields by ours.
    :param key: our names of what tells one row from another, in their order in a message.
    :param of_a_semester: whether it can be asked for one semester alone.
    """

    path: str
    fields: Mapping[str, str]
    key: tuple[str, ...]
    of_a_semester: bool = True


@dataclass(frozen=True, slots=True)
class CampusCafeProfile:
    """All of it.

    :param meeting: fields of the meetings in a section, theirs by ours.
    :param since: pattern of ``strftime`` for the moment of ``modified_since``, in UTC.
    """

    tables: Mapping[Resource, Table]
    meeting: Mapping[str, str]
    prefix: str = "/api/v1"
    header: str = "Authorization"
    scheme: str = "Bearer"
    page: str = "page"
    page_size: str = "pageSize"
    semester: str = "semester"
    modified_since: str = "modifiedSince"
    since: str = "%Y-%m-%dT%H:%M:%SZ"
    items: str = "data"
    pages: str = "pages"
    total: str = "total"
    initial_password: str = "/persons/{person}/initial-password"  # noqa: S105 (a path)
    password: str = "password"  # noqa: S105 (a field's name)


_SECTION: Mapping[str, str] = {"semester": "semester", "course": "courseNumber", "section": "section"}
_MODIFIED: Mapping[str, str] = {"modified_at": "modifiedAt"}

PROFILE = CampusCafeProfile(
    meeting={"on": "date", "starts": "startTime", "ends": "endTime", "is_cancelled": "isCancelled"},
    tables={
        Resource.SEMESTERS: Table(
            path="/semesters",
            fields={
                "code": "code",
                "description": "description",
                "first": "beginDate",
                "last": "endDate",
            },
            key=("code",),
            of_a_semester=False,
        ),
        Resource.SECTIONS: Table(
            path="/sections",
            fields={
                **_SECTION,
                "title": "title",
                "site": "site",
                "first": "beginDate",
                "last": "endDate",
                "starts": "startTime",
                "ends": "endTime",
                "weekdays": "days",
                "attendance_code": "enrollmentCode4",
                "contact_hours": "contactHours",
                "lab_hours": "labHours",
                "is_excluded": "excludeFromLms",
                "is_cancelled": "isCancelled",
                "meetings": "meetings",
                **_MODIFIED,
            },
            key=("semester", "course", "section"),
        ),
        Resource.PERSONS: Table(
            path="/persons",
            fields={"id": "id", "first_name": "firstName", "last_name": "lastName", "email": "email", **_MODIFIED},
            key=("id",),
            of_a_semester=False,
        ),
        Resource.STAFF: Table(
            path="/staff",
            fields={
                **_SECTION,
                "person": "personId",
                "is_primary": "isPrimary",
                "is_removed": "isRemoved",
                **_MODIFIED,
            },
            key=("semester", "course", "section", "person"),
        ),
        Resource.REGISTRATIONS: Table(
            path="/registrations",
            fields={
                **_SECTION,
                "person": "personId",
                "standing": "status",
                "registered_at": "registeredAt",
                "dropped_on": "droppedOn",
                "first": "startOverride",
                "last": "endOverride",
                **_MODIFIED,
            },
            key=("semester", "course", "section", "person"),
        ),
    },
)
"""Our first guess: docs/coursekey-contract.md."""

Kind = TypeVar("Kind", bound=msgspec.Struct)


@cache
def _texts(kind: type[msgspec.Struct]) -> frozenset[str]:
    """Our names of fields that may be blank: what that means is for the rules to say."""
    return frozenset(info.name for info in msgspec.structs.fields(kind) if info.type is str)


def record(profile: CampusCafeProfile, resource: Resource, row: Mapping[str, Any]) -> Record:
    """A row as one of our records: texts and JSON values alike, so that a CSV file needs no reader of its own.

    :param row: values by their names.
    :raises Unusable: naming the first field that is missing or cannot be read.
    """
    table = profile.tables[resource]
    values = renamed(table.fields, row)
    if resource is Resource.SECTIONS:
        values["meetings"] = [renamed(profile.meeting, meeting) for meeting in row.get("meetings") or ()]
    return made(table, RECORDS[resource], values)


def made(table: Table, kind: type[Kind], values: dict[str, Any]) -> Kind:
    """A record of a kind.

    :param values: by our names.
    :raises Unusable: naming the first field that is missing or cannot be read.
    """
    for name in table.fields.keys() - set(table.key) - values.keys():
        if name in _texts(kind):
            values[name] = ""
    try:
        found = msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError:
        raise Unusable(_why(table, kind, values), is_named=set(table.key) <= values.keys()) from None
    if unzoned := [name for name in ("modified_at", "registered_at") if _is_naive(getattr(found, name, None))]:
        raise Unusable(f"{_name(table, values)}: {table.fields[unzoned[0]]} has no time zone")
    return found


def key_of(profile: CampusCafeProfile, resource: Resource, found: Record) -> tuple[str, ...]:
    """What tells it from other records of its resource."""
    return tuple(getattr(found, name) for name in profile.tables[resource].key)


def renamed(fields: Mapping[str, str], row: object) -> dict[str, Any]:
    """Its values by our names, without those that are blank and the blanks around them: columns are often padded."""
    if not isinstance(row, Mapping):
        return {}
    found = {name: _bare(row.get(theirs)) for name, theirs in fields.items()}
    values = {name: value for name, value in found.items() if value not in (None, "")}
    for name in TIMES & values.keys():
        values[name] = _TO_THE_MINUTE.sub(r"\1:00", str(values[name]))
    return values


def _bare(value: Any) -> Any:
    if isinstance(value, list):
        return [_bare(item) for item in value]
    return value.strip() if isinstance(value, str) else value


def _why(table: Table, kind: type[msgspec.Struct], values: Mapping[str, Any]) -> str:
    """The first field that is missing or cannot be read; its value is not repeated."""
    for info in msgspec.structs.fields(kind):
        if info.name not in values:
            if info.required:
                return f"{_name(table, values)}: {table.fields[info.name]} is missing"
            continue
        try:
            msgspec.convert(values[info.name], info.type, strict=False)
        except msgspec.ValidationError:
            return f"{_name(table, values)}: {table.fields[info.name]} cannot be read"
    raise AssertionError("a record whose fields are all well is well")


def _name(table: Table, values: Mapping[str, Any]) -> str:
    return "/".join(str(values.get(name, "?")) for name in table.key)


def _is_naive(moment: Any) -> bool:
    return moment is not None and moment.tzinfo is None
