"""What of a college's settings does not fit together, though each may be right by itself (reference coursekey §4.2).

Problems are looked for in the file as it was written, so that they are told together with those of single settings;
warnings in the settings that can be used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rosterflow.domain.coursekey.formats import names_one_section
from rosterflow.domain.coursekey.parameters import parameter_name, split_list
from rosterflow.domain.coursekey.sites import attendance_name, pair_problems

if TYPE_CHECKING:
    from rosterflow.domain.coursekey.college import College

FOUR_ZONES = ("US/Eastern", "US/Central", "US/Mountain", "US/Pacific")
"""Those that the source document lets COURSEKEY_TIMEZONE be."""
LIKELY_SECONDS = range(300, 86_401, 60)
"""Awarded times that are seconds without being asked: five minutes to a day, in whole minutes."""


def together_problems(raw: Mapping[str, Any]) -> list[str]:
    """Every problem between the settings of a file, one sentence each, beginning with the path.

    :param raw: the file's content; what has a wrong shape is left to the problems of single settings.
    """
    parameters = _table(raw.get("coursekey"))
    descriptions = _table(raw.get("rgencd"))
    sites = _table(raw.get("rccono"))
    names = [name for text in descriptions.values() if (name := attendance_name(str(text)))]
    pairs = [pair for pair in _list(raw.get("crskeyauth")) if isinstance(pair, dict)]
    return [
        *pair_problems(pairs, sites),
        *_name_problems(parameters, descriptions, names),
        *_awarded_problems(parameters, raw.get("awarded_time_unit")),
        *_site_problems(_list(raw.get("not_integrated_sites")), pairs, sites),
    ]


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else ()


def _names(parameters: Mapping[str, Any], attribute: str) -> Iterable[str]:
    return _list(split_list(parameters.get(parameter_name(attribute)) or ()))


def _name_problems(
    parameters: Mapping[str, Any], descriptions: Mapping[str, Any], names: Iterable[str]
) -> Iterator[str]:
    known = set(names)
    if descriptions and not known:
        yield "rgencd: no description begins with '4:', so there is no attendance name"
        return
    spelt = {name.casefold(): name for name in known}
    for attribute in ("awarded_time_attendance_names", "no_attendance_session_sync"):
        for name in _names(parameters, attribute):
            if descriptions and name not in known:
                near = spelt.get(str(name).casefold())
                hint = f"; did you mean {near!r}?" if near else ""
                yield f"coursekey.{parameter_name(attribute)}: {name!r} is no attendance name of RGENCD{hint}"


def _awarded_problems(parameters: Mapping[str, Any], unit: Any) -> Iterator[str]:
    path = f"coursekey.{parameter_name('awarded_time_minutes')}"
    value = parameters.get(parameter_name("awarded_time_minutes"))
    if value is None or not str(value).strip():
        if _names(parameters, "awarded_time_attendance_names"):
            yield f"{path}: is missing, though COURSEKEY_AWARDED_TIME_ATTENDANCE_NAMES has names"
    elif unit is None and str(value).strip().isdecimal() and int(value) > 0 and int(value) not in LIKELY_SECONDS:
        yield (
            f"{path}: {int(value)} seconds is unlikely (it takes 300 to 86400, in whole minutes); "
            "say what it is with awarded_time_unit: seconds or minutes"
        )


def _site_problems(
    left_out: Iterable[Any], pairs: Iterable[Mapping[str, Any]], sites: Mapping[str, Any]
) -> Iterator[str]:
    integrated = {pair.get("site") for pair in pairs}
    for site in left_out:
        if site not in sites:
            yield f"not_integrated_sites: site {site!r} is not in RCCONO"
        if site in integrated:
            yield f"not_integrated_sites: site {site!r} has a school in CRSKEYAUTH"


def warnings(college: College, *, import_every_days: int = 1) -> list[str]:
    """What can be used and is likely not what was meant, one sentence each.

    :param import_every_days: days from one import of attendance to the next.
    """
    ours = college.coursekey
    looks_back = ours.export_time_attended_days_prior if ours.export_base_url else None
    named = {pair.site for pair in college.crskeyauth} | set(college.not_integrated_sites)
    told = {
        _LATE_COURSE: ours.enrollment_days_active_bef_begin > ours.course_days_active_bef_begin,
        _SHORT_LOOK: looks_back is not None and looks_back < 2 * import_every_days,
        _NO_LOGIN: not ours.send_email_to_new_user and not ours.set_user_password,
        _PASSWORDS: ours.set_user_password,
        _SHARED: ours.set_user_password and college.maintenance_password_connection is not None,
        _SAME_NAMES: not names_one_section(ours.course_name_format),
        _OTHER_ZONE: ours.timezone not in FOUR_ZONES,
        _KEPT: ours.remove_from_queue_days == 0,
    }
    without = sorted(college.rccono.keys() - named)
    return [
        *(sentence for sentence, is_so in told.items() if is_so),
        *(f"RCCONO has the site {site!r}, which has no school in CRSKEYAUTH: its sections fail." for site in without),
    ]


_LATE_COURSE = (
    "COURSEKEY_ENROLLMENT_DAYS_ACTIVE_BEF_BEGIN is more than COURSEKEY_COURSE_DAYS_ACTIVE_BEF_BEGIN: enrollments wait "
    "until the course is set up."
)
_SHORT_LOOK = (
    "COURSEKEY_EXPORT_TIME_ATTENDED_DAYS_PRIOR is less than twice the interval of the import: a run that fails loses "
    "attendance."
)
_NO_LOGIN = (
    "COURSEKEY_SEND_EMAIL_TO_NEW_USER and COURSEKEY_SET_USER_PASSWORD are both N: new users cannot log in before "
    "somebody tells them how."
)
_PASSWORDS = "COURSEKEY_SET_USER_PASSWORD is Y: passwords leave Campus Cafe."
_SHARED = (
    "maintenance_password_connection is set: new users who have no password in Campus Cafe share one, until they "
    "change it."
)
_SAME_NAMES = (
    "COURSEKEY_COURSE_NAME_FORMAT lacks the semester, @COURSE_NUMBER@ or @COURSE_SECTION@: two sections may get the "
    "same name."
)
_OTHER_ZONE = f"COURSEKEY_TIMEZONE is none of {', '.join(FOUR_ZONES)}, the ones that Campus Cafe knows."
_KEPT = "COURSEKEY_REMOVE_FROM_QUEUE_DAYS is 0: the queue's done entries and its history are kept for ever."
