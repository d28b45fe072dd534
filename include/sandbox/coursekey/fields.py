"""Reading what is sent to CourseKey, field by field: a field that is missing, unknown or of the wrong form is a 422.

Source: docs/coursekey-contract.md, CourseKey (forms of dates, times, booleans and lists).
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.coursekey.model import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Check = Callable[[str, Any], object]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def read(body: Mapping[str, Any], required: Mapping[str, Check], optional: Mapping[str, Check]) -> dict[str, Any]:
    """The fields of a body as they were sent, once each was checked. Raises Refused (422)."""
    for name in body:
        if name not in required and name not in optional:
            raise invalid(name, f"{name} is not known.")
    for name in required:
        if body.get(name) is None:
            raise invalid(name, f"{name} is required.")
    for name, check in (*required.items(), *optional.items()):
        if body.get(name) is not None:
            check(name, body[name])
    return {name: value for name, value in body.items() if value is not None}


def invalid(field: str, message: str) -> Refused:
    """The refusal of a field's value."""
    return Refused(422, "invalid", message, field)


def text(name: str, value: Any) -> str:
    """Some text."""
    if not isinstance(value, str) or not value.strip():
        raise invalid(name, f"{name} must be a text that is not blank.")
    return value


def any_text(name: str, value: Any) -> str:
    """A text, which may be blank."""
    if not isinstance(value, str):
        raise invalid(name, f"{name} must be a text.")
    return value


def flag(name: str, value: Any) -> int:
    """A boolean, as 0 or 1."""
    if isinstance(value, bool) or value not in (0, 1):
        raise invalid(name, f"{name} must be 0 or 1.")
    return int(value)


def email(name: str, value: Any) -> str:
    """One e-mail address; none at all has an error of its own."""
    if not isinstance(value, str) or not value.strip():
        raise Refused(422, "missing_email", "A user needs an e-mail address.", name)
    if not re.fullmatch(r"[^@\s|,]+@[^@\s|,]+\.[^@\s|,]+", value):
        raise invalid(name, f"{name} must be an e-mail address.")
    return value


def day(name: str, value: Any) -> date:
    """A date, MM/DD/YYYY."""
    try:
        if not re.fullmatch(r"\d{1,2}/\d{1,2}/\d{4}", str(value)):
            raise ValueError(value)
        return datetime.strptime(value, "%m/%d/%Y").date()  # noqa: DTZ007  # a date has no zone
    except ValueError as error:
        raise invalid(name, f"{name} must be a date, MM/DD/YYYY.") from error


def clock_time(name: str, value: Any) -> time:
    """A time of day, H:MM:SS, 24 hours."""
    match = re.fullmatch(r"(\d{1,2}):(\d\d):(\d\d)", str(value))
    try:
        if match is None:
            raise ValueError(value)
        hour, minute, second = map(int, match.groups())
        return time(hour, minute, second)
    except ValueError as error:
        raise invalid(name, f"{name} must be a time, H:MM:SS of 24 hours.") from error


def optional_time(name: str, value: Any) -> time | None:
    """A time of day, or a blank."""
    return clock_time(name, value) if value != "" else None


def zone(name: str, value: Any) -> str:
    """A name of the tz database; any other has an error of its own."""
    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise Refused(422, "bad_time_zone", f"{name} must be a name of the tz database.", name) from error


def weekdays(name: str, value: Any) -> tuple[str, ...]:
    """English names of weekdays joined by a pipe, or a blank."""
    days = tuple(any_text(name, value).split("|")) if value else ()
    if not set(days) <= set(WEEKDAYS):
        raise invalid(name, f"{name} must be English weekdays joined by a pipe.")
    return days


def whole(name: str, value: Any) -> int:
    """A whole number, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise invalid(name, f"{name} must be a whole number, 0 or more.")
    return value


def decimal(name: str, value: Any) -> Decimal:
    """A decimal number, 0 or more, as a number or a text."""
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise invalid(name, f"{name} must be a decimal number.") from error
    if isinstance(value, bool) or not number.is_finite() or number < 0:
        raise invalid(name, f"{name} must be a decimal number, 0 or more.")
    return number
