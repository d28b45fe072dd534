"""What is sent of a section: its name and title by the college's formats, its attendance name, its awarded time.

Source: source document, COURSEKEY_COURSE_NAME_FORMAT; reference coursekey §4 and §4.2.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rosterflow.domain.coursekey.campus import Section, SectionKey, Semester

if TYPE_CHECKING:
    from rosterflow.domain.coursekey.college import College

VARIABLES = ("@SEMESTER@", "@COURSE_NUMBER@", "@COURSE_SECTION@", "@COURSE_TITLE@", "@SEMESTER_DESCRIPTION@")


def unknown_variables(template: str) -> tuple[str, ...]:
    """What is written like a variable in a format and is none of the five."""
    return tuple(dict.fromkeys(word for word in re.findall(r"@\w+@", template) if word not in VARIABLES))


def names_one_section(template: str) -> bool:
    """Whether a format has the semester, the course's number and the section's, which are a section's name."""
    has_semester = "@SEMESTER@" in template or uses_description(template)
    return has_semester and "@COURSE_NUMBER@" in template and "@COURSE_SECTION@" in template


def uses_description(template: str) -> bool:
    """Whether a format needs the semester's description."""
    return "@SEMESTER_DESCRIPTION@" in template


def course_name(college: College, section: Section, semester: Semester | None) -> str:
    """The short name of a section's course: ``MTH101 - 4: Intro to Math in Fall 2021``."""
    return _filled(college.coursekey.course_name_format, section, semester)


def course_title(college: College, section: Section, semester: Semester | None) -> str:
    """The long title of a section's course."""
    return _filled(college.coursekey.course_title_format, section, semester)


def _filled(template: str, section: Section, semester: Semester | None) -> str:
    """The variables replaced in one pass: a title that holds a variable's name keeps it."""
    values = {
        "@SEMESTER@": section.semester,
        "@COURSE_NUMBER@": section.course,
        "@COURSE_SECTION@": section.section,
        "@COURSE_TITLE@": section.title,
        "@SEMESTER_DESCRIPTION@": semester.description if semester else "",
    }
    return re.sub(r"@\w+@", lambda found: values[found[0]], template).strip()


def same_names(
    college: College, sections: Iterable[Section], semesters: Mapping[str, Semester]
) -> dict[str, tuple[SectionKey, ...]]:
    """Sections of one school that would get the same short name, which CourseKey knows a course by.

    :param semesters: by code.
    :returns: by the name they share, in order.
    """
    found: defaultdict[tuple[str, str], list[SectionKey]] = defaultdict(list)
    for section in sections:
        school = college.school_of(section.site)
        if school:
            name = course_name(college, section, semesters.get(section.semester))
            found[school.school_id, name].append(section.key)
    return {name: tuple(sorted(keys)) for (_, name), keys in found.items() if len(keys) > 1}


def attendance_name(college: College, section: Section) -> str | None:
    """What CourseKey calls the section's kind of attendance; nothing when Enrollment Code 4 names none."""
    return college.attendance_name_of(section.attendance_code)


def awarded_seconds(college: College, section: Section) -> int | None:
    """The section's default awarded time in seconds, when its attendance name has one."""
    name = attendance_name(college, section)
    return awarded_seconds_of(college, name) if name else None


def awarded_seconds_of(college: College, name: str) -> int | None:
    """The default awarded time of an attendance name in seconds, when it has one.

    COURSEKEY_AWARDED_TIME_MINUTES is in seconds, as its description says, unless ``awarded_time_unit`` says minutes.
    """
    value = college.coursekey.awarded_time_minutes
    if value is None or name not in college.coursekey.awarded_time_attendance_names:
        return None
    return value * 60 if college.awarded_time_unit == "minutes" else value
