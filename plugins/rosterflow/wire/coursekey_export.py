"""CourseKey's export of time attended: what is assumed of it, and its pages as records (docs/coursekey-contract.md).

The vendor's contract is not public; what its answer may change stands in :class:`ExportProfile` and nowhere else
(reference coursekey §5.2, §5.7). A page is decoded as a whole; only one that has a malformed record in it, or that is
written in another way than ours, is decoded record by record, so that the malformed one costs nothing but itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from rosterflow.domain.attendance.reading import OpenedPage
from rosterflow.domain.attendance.records import Status, TimeRecord
from rosterflow.wire.coursekey_json import Unreadable
from rosterflow.wire.coursekey_profile import PROFILE, Call, CourseKeyProfile, Field, Listing, Operation, Way

ISO_DATE = "%Y-%m-%d"
MILLISECONDS = 100_000_000_000
"""A moment that is a number beyond this counts milliseconds, else seconds, since 1970."""


@dataclass(frozen=True, slots=True)
class ExportProfile:
    """What is assumed of the export.

    :param wire: how it is called: prefix, key, query, pages, errors.
    :param fields: their fields by the names of :class:`TimeRecord`; ``school`` is the School ID, ``""`` when a record
        has none.
    :param statuses: their words.
    :param seconds_in_duration: how many seconds one of their time is: 1, or 60 for minutes.
    """

    wire: CourseKeyProfile
    fields: Mapping[str, str]
    statuses: Mapping[str, Status]
    seconds_in_duration: int = 1

    @property
    def is_plain(self) -> bool:
        """Whether a page can be decoded as a whole: it is in seconds, with ISO dates and our words."""
        ours = {str(status): status for status in self.statuses.values()}
        return self.seconds_in_duration == 1 and self.wire.writing.date == ISO_DATE and self.statuses == ours


EXPORT = ExportProfile(
    wire=replace(
        PROFILE,
        writing=replace(PROFILE.writing, date=ISO_DATE),
        calls={
            Operation.TIME_ATTENDED: Call(
                "GET",
                "/timeattended",
                {"school": Field("schoolID"), "first": Field("from", Way.DATE), "last": Field("to", Way.DATE)},
                ("school", "first", "last"),
            )
        },
    ),
    fields={
        "school": "schoolID",
        "record_id": "recordID",
        "course_id": "courseID",
        "user_id": "userID",
        "issued_id": "issuedID",
        "session_id": "sessionID",
        "session_date": "sessionDate",
        "starts": "startTime",
        "ends": "endTime",
        "check_in": "checkIn",
        "check_out": "checkOut",
        "attended": "timeAttended",
        "awarded": "timeAwarded",
        "available": "timeAvailable",
        "is_async": "isAsynchronous",
        "status": "status",
        "last_activity": "lastActivity",
        "updated_at": "updatedAt",
        "is_deleted": "isDeleted",
    },
    statuses={str(status): status for status in (Status.COMPLETE, Status.IN_PROGRESS, Status.CANCELLED)},
)
"""Our first guess: docs/coursekey-contract.md, export side."""

LONGEST_ID = 100
LONGEST_PERSON = 32
MOST_SECONDS = 366 * 86_400
"""What is longer or more than this is no ID and no time; it would not fit into the ledger either."""

_MOMENTS = frozenset({"starts", "ends", "check_in", "check_out", "last_activity", "updated_at"})
_TIMES = frozenset({"attended", "awarded", "available"})
_FLAGS = frozenset({"is_async", "is_deleted"})
NUL = b"\\u0000"
"""A character that is in no ID, and that PostgreSQL has no place for."""

_NEEDED = ("course_id", "user_id", "session_date")
_NOT_NAMING = frozenset({"ends", "check_out", *_TIMES, "status", "last_activity", "updated_at", "is_deleted"})
"""Fields that do not say whose time of which day a record is."""


def rows_of(listing: Listing, body: bytes) -> tuple[list[msgspec.Raw], str | None]:
    """The records of a page, undecoded, and the cursor of the next page, ``None`` after the last.

    :raises Unreadable: when it is no page of a list.
    """
    try:
        if listing.items is None:
            return msgspec.json.decode(body, type=list[msgspec.Raw]), None
        found = _envelope(listing.items, listing.next).decode(body)
    except ValueError:
        raise Unreadable("there is no list in it") from None
    return found.items, None if found.next in (None, "") else str(found.next)


@cache
def _envelope(items: str, following: str | None) -> msgspec.json.Decoder[Any]:
    fields: list[Any] = [("items", list[msgspec.Raw]), ("next", str | int | None, None)]
    kind = msgspec.defstruct("Envelope", fields, rename={"items": items, "next": following or "next"}, gc=False)
    return msgspec.json.Decoder(kind)


class Opening:
    """Opens the pages of one school.

    :param school: the School ID that was asked for; records of another are not taken.
    :param zone: the zone of moments that come without an offset.
    """

    def __init__(self, profile: ExportProfile, school: str, zone: ZoneInfo) -> None:
        self._profile = profile
        self._school = school
        self._zone = zone
        self._whole = (
            _whole_page(profile.wire.listing.items, tuple(profile.fields.items()), school) if profile.is_plain else None
        )

    def open(self, number: int, body: bytes) -> OpenedPage:
        """The records of a page, and what is wrong with it."""
        if self._whole is not None and (records := self._at_once(self._whole, body)) is not None:
            return OpenedPage(number, records)
        try:
            rows, _ = rows_of(self._profile.wire.listing, body)
        except Unreadable as error:
            return OpenedPage(number, (), gaps=(f"page {number}: {error}",))
        return self._one_by_one(number, rows)

    def _at_once(self, whole: msgspec.json.Decoder[Any], body: bytes) -> tuple[TimeRecord, ...] | None:
        """Its records, decoded as a whole; ``None`` when one of them is not as agreed."""
        try:
            page = whole.decode(body)
        except ValueError:
            return None
        if NUL in body:
            return None
        records = page if isinstance(page, list) else page.items
        for place, record in enumerate(records):
            if record.session_id is None or record.issued_id is None or record.record_id is None:
                texts = {name: getattr(record, name) or "" for name in ("session_id", "issued_id", "record_id")}
                records[place] = msgspec.structs.replace(record, **texts)
        return tuple(records)

    def _one_by_one(self, number: int, rows: list[msgspec.Raw]) -> OpenedPage:
        records, problems, gaps = [], [], []
        foreign = 0
        for place, raw in enumerate(rows, 1):
            try:
                record, wrong = self._record(raw)
            except Foreign:
                foreign += 1
                continue
            if wrong:
                problems.append(f"page {number}, record {place}{_called(record)}: {wrong}")
            if record is None:
                gaps.append(f"page {number}, record {place} does not say whose it is")
            else:
                records.append(record)
        if foreign:
            problems.append(f"page {number}: {foreign} records are another school's")
        return OpenedPage(number, tuple(records), tuple(problems), tuple(gaps))

    def _record(self, raw: msgspec.Raw) -> tuple[TimeRecord | None, str]:
        """One record and what is wrong with it: without a time where that cannot be read, ``None`` without a name."""
        item = msgspec.json.decode(raw)
        if not isinstance(item, dict):
            return None, "it is no object"
        fields = self._profile.fields
        values: dict[str, Any] = {}
        bad: list[str] = []
        for name, theirs in fields.items():
            if (value := item.get(theirs)) in (None, ""):
                continue
            try:
                values[name] = self._value(name, value)
            except (ValueError, ArithmeticError, TypeError, KeyError, OSError):
                bad.append(name)
        if values.pop("school", self._school) != self._school:
            raise Foreign
        missing = [name for name in _NEEDED if name not in values and name not in bad]
        wrong = [f"{fields[name]} cannot be read" for name in bad] + [f"{fields[name]} is missing" for name in missing]
        if not wrong:
            return TimeRecord(**values), ""
        has_name = values.keys() & {"session_id", "record_id"} and not missing and _NOT_NAMING.issuperset(bad)
        if not has_name:
            return None, ", ".join(wrong)
        known = {name: value for name, value in values.items() if name not in _TIMES}
        return TimeRecord(**(known | {"status": Status.UNREADABLE, "is_deleted": False})), ", ".join(wrong)

    def _value(self, name: str, value: Any) -> Any:
        """A value as :class:`TimeRecord` has it; raises what Python does where it is none."""
        if name in _MOMENTS:
            return self._moment(value)
        if name in _TIMES:
            return self._seconds(value)
        if name in _FLAGS:
            return self._flag(value)
        if name == "session_date":
            return _date(value, self._profile.wire.writing.date)
        if name == "status":
            return self._profile.statuses[value]
        return _text(value, LONGEST_PERSON if name == "issued_id" else LONGEST_ID)

    def _moment(self, value: Any) -> datetime:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=self._zone)
        return datetime.fromtimestamp(value / 1000 if value > MILLISECONDS else value, UTC)

    def _seconds(self, value: Any) -> int:
        if isinstance(value, bool):
            raise TypeError
        seconds = Decimal(str(value)) * self._profile.seconds_in_duration
        if seconds != int(seconds) or abs(seconds) > MOST_SECONDS:
            raise ValueError
        return int(seconds)

    def _flag(self, value: Any) -> bool:
        writing = self._profile.wire.writing
        if value in (True, writing.true, str(writing.true)):
            return True
        if value in (False, writing.false, str(writing.false)):
            return False
        raise ValueError


class Foreign(Exception):
    """A record of another school."""


@cache
def _whole_page(items: str | None, named: tuple[tuple[str, str], ...], school: str) -> msgspec.json.Decoder[Any]:
    """Decodes a page whose records are all as agreed; any other raises.

    :param items: the field the records are in.
    :param named: our names with theirs.
    :param school: the only one they may be of.
    """
    theirs = dict(named)
    name, id_or_none = msgspec.Meta(min_length=1, max_length=LONGEST_ID), msgspec.Meta(max_length=LONGEST_ID)
    seconds = Annotated[int, msgspec.Meta(ge=-MOST_SECONDS, le=MOST_SECONDS)]
    kinds: dict[str, Any] = {
        **dict.fromkeys(("course_id", "user_id"), Annotated[str, name]),
        **dict.fromkeys(("session_id", "record_id"), Annotated[str, id_or_none] | None),
        "issued_id": Annotated[str, msgspec.Meta(max_length=LONGEST_PERSON)] | None,
        **dict.fromkeys(_TIMES, seconds | None),
        **dict.fromkeys(_MOMENTS, Annotated[datetime, msgspec.Meta(tz=True)] | None),
    }
    infos = msgspec.structs.fields(TimeRecord)
    # Every field anew, not only those of another kind: one that is inherited keeps our name for it. A field that the
    # export does not have goes by a name that nothing has.
    fields = [
        (info.name, kinds.get(info.name, info.type), *(() if info.required else (info.default,))) for info in infos
    ]
    kind = msgspec.defstruct(
        "ExportedRecord",
        [*fields, ("school", Literal[school] | None, None)],
        bases=(TimeRecord,),
        rename={name: theirs.get(name, f"\0{name}") for name in (*TimeRecord.__struct_fields__, "school")},
        frozen=True,
        gc=False,
    )
    if items is None:
        return msgspec.json.Decoder(list[kind], strict=False)  # type: ignore[valid-type]
    page = msgspec.defstruct("ExportedPage", [("items", list[kind])], rename={"items": items})  # type: ignore[valid-type]
    return msgspec.json.Decoder(page, strict=False)


def _text(value: Any, longest: int) -> str:
    text = str(value)
    if isinstance(value, bool) or not isinstance(value, str | int) or len(text) > longest or "\0" in text:
        raise ValueError
    return text


def _date(value: Any, pattern: str) -> date:
    return datetime.strptime(value, pattern).date()  # noqa: DTZ007 (a local date, not a moment)


def _called(record: TimeRecord | None) -> str:
    return f" ({record.record_id})" if record is not None and record.record_id else ""
