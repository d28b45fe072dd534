"""Requests to CourseKey and what its answers say, written and read as a profile has it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from rosterflow.wire.coursekey_profile import Bulk, Call, CourseKeyProfile, Field, Problem, Way, Writing

LONGEST_WORDS = 200
_ADDRESS = re.compile(r"[^\s\"'<>(),;:]+@[^\s\"'<>(),;:]+")

Record = TypeVar("Record", bound=msgspec.Struct)


class Unreadable(ValueError):
    """An answer that does not have the shape the profile says; no value of it is in the message."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    :param path: below the prefix.
    :param body: JSON, ``None`` when there is none.
    :param hidden: values that must not be seen when CourseKey repeats them in an error.
    """

    method: str
    path: str
    query: Mapping[str, Any]
    body: Any
    hidden: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an answer says is wrong.

    :param code: CourseKey's own code.
    :param words: CourseKey's own words, short and without anybody's data.
    """

    problem: Problem
    code: str
    words: str


def request(profile: CourseKeyProfile, call: Call, values: Mapping[str, Any]) -> Request:
    """An operation with its values, by our names, on the wire; a value that is ``None`` is not sent."""
    named = {name: values[name] for name in call.sends if values.get(name) is not None}
    sent = {call.fields[name].name: written(profile.writing, call.fields[name], value) for name, value in named.items()}
    sent |= call.fixed
    parts = {name: quote(value, safe="") for name, value in values.items() if isinstance(value, str)}
    hidden = [value for name, value in named.items() if call.fields[name].is_personal]
    return Request(
        method=call.method,
        path=call.path.format_map(parts),
        query={} if call.has_body else sent,
        body=sent if call.has_body else None,
        hidden=tuple(_texts(hidden)),
    )


def shared(call: Call, bulk: Bulk, one: Request) -> dict[str, Any]:
    """What is said once for all that goes into one call, by their names."""
    row = _row(one)
    return {name: row[name] for name in (call.fields[ours].name for ours in bulk.shared) if name in row}


def bulk_request(call: Call, bulk: Bulk, some: Sequence[Request]) -> Request:
    """Several requests of one operation, which share what they must, as one."""
    once = shared(call, bulk, some[0])
    items = [{name: value for name, value in _row(one).items() if name not in once} for one in some]
    hidden = tuple(dict.fromkeys(text for one in some for text in one.hidden))
    return Request(bulk.method, bulk.path, {}, items if bulk.items is None else {**once, bulk.items: items}, hidden)


def bulk_results(bulk: Bulk, answer: object, count: int) -> list[tuple[int, object]]:
    """Status and body of each result.

    :param count: how many things were sent.
    :raises Unreadable: when there are not so many results, or one has no status.
    """
    found = answer if bulk.results is None else _at(answer, [bulk.results])
    if not isinstance(found, list) or len(found) != count:
        raise Unreadable(f"it has not the results of {count} things")
    results: list[tuple[int, object]] = []
    for one in found:
        status = _at(one, [bulk.status])
        if not isinstance(status, int) or not 200 <= status <= 599:
            raise Unreadable(f"a result has no {bulk.status}")
        results.append((status, one if bulk.body is None else _at(one, [bulk.body])))
    return results


def _row(one: Request) -> Mapping[str, Any]:
    return one.query if one.body is None else one.body


def written(writing: Writing, field: Field, value: Any) -> Any:
    """A value of ours as their field has it."""
    match field.way:
        case Way.DATE:
            return value.strftime(writing.date)
        case Way.TIME:
            return value.strftime(writing.time)
        case Way.FLAG:
            return writing.true if value else writing.false
        case Way.LIST:
            return _joined(writing, list(value))
        case Way.WEEKDAYS:
            return _joined(writing, [writing.weekdays[day] for day in value])
        case Way.NUMBER:
            return float(value)
        case Way.DURATION:
            return value // writing.seconds_in_duration
        case Way.TEXT:
            return value


def record(profile: CourseKeyProfile, call: Call, kind: type[Record], item: object) -> Record:
    """One object of an answer.

    :raises Unreadable: when a field is missing or of another kind.
    """
    if not isinstance(item, dict):
        raise Unreadable("what should be an object is none")
    wanted = {info.name: info for info in msgspec.structs.fields(kind)}
    values: dict[str, Any] = {}
    for name, info in wanted.items():
        field = call.fields[name]
        value = item.get(field.name)
        if value is None and info.required:
            raise Unreadable(f"the field {field.name} is missing")
        if value is not None:
            values[name] = _read(profile.writing, field, value)
    return kind(**values)


def items(profile: CourseKeyProfile, answer: object) -> tuple[Sequence[object], str | None]:
    """The items of one page of a list, and the cursor of the next page, ``None`` after the last.

    :raises Unreadable: when there is no list where the profile says.
    """
    listing = profile.listing
    found = answer if listing.items is None else _at(answer, [listing.items])
    if not isinstance(found, list):
        raise Unreadable("there is no list in it")
    cursor = _at(answer, [listing.next]) if listing.next else None
    return found, None if cursor in (None, "") else str(cursor)


def complaint(profile: CourseKeyProfile, answer: object, hidden: Iterable[str]) -> Complaint:
    """What an error's body says."""
    errors = profile.errors
    code = str(_at(answer, errors.code) or "")
    about = _at(answer, errors.field)
    words = " ".join(str(_at(answer, errors.message) or "no explanation").split())
    words = f"{words} ({about})" if about else words
    return Complaint(errors.meanings.get(code, Problem.INVALID), code, without(words, hidden)[:LONGEST_WORDS])


def is_refusal(profile: CourseKeyProfile, answer: object) -> bool:
    """Whether an answer of status 200 is an error all the same."""
    success = profile.errors.success
    return success is not None and isinstance(answer, dict) and answer.get(success) is False


def without(words: str, hidden: Iterable[str]) -> str:
    """Words of others in which nobody's data can be read: neither what we sent nor any e-mail address."""
    for value in sorted({value for value in hidden if value}, key=len, reverse=True):
        words = re.sub(re.escape(value), "…", words, flags=re.IGNORECASE)
    return _ADDRESS.sub("…", words)


def _read(writing: Writing, field: Field, value: Any) -> Any:
    try:
        match field.way:
            case Way.DATE:
                return _moment(value, writing.date).date()
            case Way.TIME:
                return _moment(value, writing.time).time()
            case Way.FLAG:
                return _flag(writing, value)
            case Way.NUMBER:
                return Decimal(str(value))
            case _:
                return str(value)
    except (ValueError, ArithmeticError):
        raise Unreadable(f"the field {field.name} is not written as agreed") from None


def _moment(value: object, pattern: str) -> datetime:
    return datetime.strptime(str(value), pattern)  # noqa: DTZ007 (a local date or time of day, not a moment)


def _flag(writing: Writing, value: object) -> bool:
    if value in (writing.true, str(writing.true)):
        return True
    if value in (writing.false, str(writing.false)):
        return False
    raise ValueError


def _joined(writing: Writing, values: list[str]) -> Any:
    return values if writing.separator is None else writing.separator.join(values)


def _texts(values: Iterable[object]) -> Iterable[str]:
    for value in values:
        yield from (value,) if isinstance(value, str) else _texts(value) if isinstance(value, list | tuple) else ()


def _at(answer: object, path: Sequence[str]) -> object:
    for name in path:
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer
