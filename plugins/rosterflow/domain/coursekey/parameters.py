"""The parameters of Campus Cafe's Web App Config, under their own names (``COURSEKEY_…``).

Source: source document, Campus Cafe Web App Configuration; meanings, defaults and edge cases by reference coursekey
§4. A parameter that is left empty is as if it were not there, except that an empty Y/N is N, as in Campus Cafe, and an
empty ``COURSEKEY_REMOVE_FROM_QUEUE_DAYS`` keeps everything; an empty ``COURSEKEY_API_NAME`` is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sized
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_core.core_schema import ValidationInfo

from rosterflow.domain.coursekey.formats import unknown_variables
from rosterflow.domain.institution import Email, Zone
from rosterflow.domain.people_settings import Model

Filled = TypeVar("Filled", bound=Sized)

CATALOG = "999999"
"""The catalog semester, which is never taught (reference coursekey §2.5)."""


def _flag(value: Any) -> Any:
    if isinstance(value, str) and value.strip().upper() in {"Y", "N", ""}:
        return value.strip().upper() == "Y"
    if isinstance(value, bool):
        return value
    raise ValueError("must be Y or N")


def split_list(value: Any, separator: str = "|") -> Any:
    """The items of a list in one text, without blanks around them, empty ones and repetitions."""
    if not isinstance(value, str):
        return value
    return tuple(dict.fromkeys(item for part in value.split(separator) if (item := part.strip())))


def not_empty(value: Filled) -> Filled:
    """A list or table that has something in it; one whose only item is wrong is not called empty as well."""
    if not value:
        raise ValueError("must not be empty")
    return value


def _address(value: Any) -> str:
    """``https://host[:port][/path]``, however it was written; plain http is for one's own machine."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a host name or an https address")
    text = value.strip()
    split = urlsplit(text if "://" in text else f"https://{text}")
    try:
        host, port = split.hostname or "", split.port
    except ValueError:
        raise ValueError("has no such port") from None
    if not re.fullmatch(r"[a-z0-9.-]+", host) or split.query or split.fragment or split.username:
        raise ValueError("must be a host name or an https address, without user, query or fragment")
    if split.scheme != "https" and not (split.scheme == "http" and host in LOOPBACK):
        raise ValueError("must be https: the auth key goes over it")
    return f"{split.scheme}://{host}{f':{port}' if port else ''}{split.path.rstrip('/')}"


LOOPBACK = frozenset({"localhost", "127.0.0.1"})


def _semester(value: Any) -> str:
    text = str(value).strip()
    if not re.fullmatch(r"\d{6}", text):
        raise ValueError(f"{text!r} is no semester code of six digits, like 202110")
    if text == CATALOG:
        raise ValueError(f"{CATALOG} is the catalog semester, in which nothing is taught")
    return text


Flag = Annotated[bool, BeforeValidator(_flag)]
Names = Annotated[tuple[str, ...], BeforeValidator(split_list)]
Addresses = Annotated[
    tuple[Email, ...], BeforeValidator(lambda value: split_list(value, ",")), AfterValidator(not_empty)
]
Url = Annotated[str, BeforeValidator(_address)]
SemesterCode = Annotated[str, BeforeValidator(_semester)]


def parameter_name(attribute: str) -> str:
    """What Campus Cafe calls a parameter: ``email`` is ``COURSEKEY_EMAIL``."""
    return f"COURSEKEY_{attribute.upper()}"


class CourseKey(Model):
    """The parameters; written in the settings file under their own names."""

    model_config = ConfigDict(alias_generator=parameter_name)

    api_name: str = Field("CC_CKY", min_length=1, description="Whose entries of the queue are ours.")
    auto_queue_items: Flag = Field(
        True,
        description="Y: what comes before its window waits until it opens. N: it is left out, until queued by hand.",
    )
    awarded_time_attendance_names: Names = Field(
        (), description="Attendance names whose courses get the default awarded time."
    )
    awarded_time_minutes: Annotated[int, Field(gt=0)] | None = Field(
        None, description="Default awarded time; seconds in spite of its name, unless awarded_time_unit says otherwise."
    )
    base_url: Url = Field(description="Address of CourseKey's roster side.")
    course_admins: Names = Field((), description="Campus Cafe IDs of those who become admins of every course.")
    course_days_active_bef_begin: int = Field(
        21, ge=0, description="So many days before its begin date a course is set up."
    )
    course_name_format: str = Field(
        "@SEMESTER@-@COURSE_NUMBER@-@COURSE_SECTION@", description="Short name of a course."
    )
    course_owner: Email = Field(description="E-mail of the owner of every course; must be a user under each auth key.")
    course_title_format: str = Field("@COURSE_TITLE@", description="Long title of a course.")
    cutover_semester: SemesterCode = Field(description="First semester that is sent, six digits.")
    email: Addresses = Field(description="Who is told of entries that failed.")
    enrollment_days_active_aft_end: int = Field(
        14, ge=0, description="So many days after the end date enrollments are still sent; 0: until the end date."
    )
    enrollment_days_active_bef_begin: int = Field(
        14, ge=0, description="So many days before the begin date enrollments are sent."
    )
    export_base_url: Url | None = Field(
        None, description="Address of CourseKey's export side; none: attendance is not imported."
    )
    export_time_attended_days_prior: int = Field(
        7, ge=1, description="So many days back attendance is read, at least twice the interval of the import."
    )
    instructor_add_only: Flag = Field(
        True, description="Y: instructors are only added. N: those we added are removed when Campus Cafe removes them."
    )
    no_attendance_session_sync: Names = Field((), description="Attendance names whose sessions are not sent.")
    remove_from_queue_days: int = Field(
        30, ge=0, description="So many days the queue's done entries and its history are kept; 0: for ever."
    )
    send_email_to_new_user: Flag = Field(False, description="Y: CourseKey mails a new user how to log in.")
    set_user_password: Flag = Field(
        False, description="Y: a new user's password is the one of Campus Cafe, or the maintenance password."
    )
    timezone: Zone = Field(description="The college's time zone, and that of an auth key without its own.")
    use_lms_exclude_flag: Flag = Field(True, description="Y: sections marked Exclude from LMS are left out.")

    @model_validator(mode="before")
    @classmethod
    def _empty_is_not_there(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        filled = {name: value for name, value in raw.items() if not _is_empty(value)}
        return {name: meant for name, meant in MEANT_EMPTY.items() if name in raw} | filled

    @field_validator("course_name_format", "course_title_format")
    @classmethod
    def _known_variables(cls, template: str) -> str:
        if unknown := unknown_variables(template):
            raise ValueError(f"knows no variable {', '.join(unknown)}")
        return template.strip()

    @field_validator("export_base_url")
    @classmethod
    def _same_environment(cls, export: str | None, info: ValidationInfo) -> str | None:
        kinds = {environment_of(url) for url in (info.data.get("base_url"), export) if url} - {""}
        if len(kinds) > 1:
            raise ValueError("is of another environment (test, production) than COURSEKEY_BASE_URL")
        return export


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


MEANT_EMPTY: Mapping[str, Any] = {
    "COURSEKEY_API_NAME": "",
    "COURSEKEY_AUTO_QUEUE_ITEMS": "N",
    "COURSEKEY_INSTRUCTOR_ADD_ONLY": "N",
    "COURSEKEY_REMOVE_FROM_QUEUE_DAYS": 0,
    "COURSEKEY_SEND_EMAIL_TO_NEW_USER": "N",
    "COURSEKEY_SET_USER_PASSWORD": "N",
    "COURSEKEY_USE_LMS_EXCLUDE_FLAG": "N",
}
"""What an empty parameter stands for, where it is not its default."""


def environment_of(url: str) -> str:
    """``test``, ``production``, or ``""`` for a host that is neither, as a simulator's."""
    host = urlsplit(url).hostname or ""
    return {
        "staging.thecoursekey.com": "test",
        "services-dev.thecoursekey.com": "test",
        "api.thecoursekey.com": "production",
        "services.thecoursekey.com": "production",
    }.get(host, "")
