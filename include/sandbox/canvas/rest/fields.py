"""Reading what a REST request gives: groups of fields, booleans, dates, lists, and the rights of its write.

Source: reference/canvas.md §3.2 (booleans), §4 (stickiness), §9.6 (error shapes).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.canvas.http import ApiError
from sandbox.canvas.objects import UI, UI_RESPECTING_STUCK, Record, Write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

NAMES = frozenset({"name", "course_code"})
TRUE_WORDS = frozenset({"true", "yes", "on", "1", "t", "y"})


def group(request: Request, name: str) -> dict[str, Any]:
    """The fields given as `name[…]`, empty when there are none."""
    fields = request.state.params.get(name)
    return fields if isinstance(fields, dict) else {}


def text(request: Request, name: str) -> str:
    """One top-level parameter as text, empty when it is not given."""
    value = request.state.params.get(name)
    return "" if value is None else str(value)


def texts(request: Request, name: str) -> list[str]:
    """A list parameter (`name[]=a&name[]=b`); a single value is a list of one."""
    value = request.state.params.get(name)
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def truth(value: object) -> bool:
    """Whether Canvas takes a value for true."""
    return str(value).strip().lower() in TRUE_WORDS


def includes(request: Request, name: str) -> bool:
    """Whether `include[]` asks for that."""
    return name in texts(request, "include")


def invalid(attribute: str, message: str, kind: str | None = None) -> ApiError:
    """The 400 of a record that is not valid; `kind` is the error's type, the message itself when not given."""
    error = {"attribute": attribute, "type": kind or message, "message": message}
    return ApiError(400, {"errors": {attribute: [error]}})


def missing(name: str) -> ApiError:
    """The 400 of a parameter that must be given."""
    return ApiError(400, {"errors": [{"message": f"{name} is missing"}]})


def changes(
    given: Mapping[str, Any], plain: Mapping[str, str], dates: tuple[str, ...] = (), flags: tuple[str, ...] = ()
) -> dict[str, Any]:
    """What the given fields change: `plain` maps a parameter to a record's field.

    Empty text clears a field, save a name, which it leaves as it was. `dates` become aware UTC moments and
    `flags` booleans. Raises ApiError 400 for a date that is none.
    """
    written = {plain[name]: str(given[name] or "") or None for name in plain if name in given}
    result: dict[str, Any] = {name: value for name, value in written.items() if value is not None or name not in NAMES}
    result |= {name: moment(name, given[name]) for name in dates if name in given}
    result |= {name: truth(given[name]) for name in flags if name in given}
    return result


def moment(name: str, value: object) -> datetime | None:
    """A date parameter: UTC when it names no zone, None when it is empty; ApiError 400 when it is no date."""
    written = str(value or "").strip()
    if not written:
        return None
    try:
        parsed = datetime.fromisoformat(written)
    except ValueError as error:
        raise invalid(name, f"Invalid datetime for {name}") from error
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def writer(request: Request) -> Write:
    """A person's write; with `override_sis_stickiness=false` it leaves alone what is stuck."""
    value = request.state.params.get("override_sis_stickiness")
    return UI if value is None or truth(value) else UI_RESPECTING_STUCK


def stick_new(record: Record, given: Mapping[str, Any]) -> None:
    """Make the fields a person gave to a new record stick, as every save from the UI does."""
    record.stuck |= {record.STICKY[name] for name in given if name in record.STICKY}
