from __future__ import annotations

import pytest

from rosterflow.domain.coursekey.campus import Section, SectionKey, Semester
from rosterflow.domain.coursekey.formats import (
    attendance_name,
    awarded_seconds,
    course_name,
    course_title,
    names_one_section,
    same_names,
)
from tests.domain.coursekey.builders import FALL, SECTION, changed, college

EXAMPLE = "@COURSE_NUMBER@ - @COURSE_SECTION@: @COURSE_TITLE@ in @SEMESTER_DESCRIPTION@"


def test_the_example_of_the_source_document_gives_exactly_its_name() -> None:
    section = Section("202110", "MTH101", "4", "Intro to Math", "MAIN")
    fall = Semester("202110", "Fall 2021")
    ours = college(COURSE_NAME_FORMAT=EXAMPLE, COURSE_TITLE_FORMAT=EXAMPLE)

    assert course_name(ours, section, fall) == "MTH101 - 4: Intro to Math in Fall 2021"
    assert course_title(ours, section, fall) == "MTH101 - 4: Intro to Math in Fall 2021"


def test_without_formats_the_name_is_the_section_and_the_title_its_title() -> None:
    assert course_name(college(), SECTION, FALL) == "202610-MTH101-4"
    assert course_title(college(), SECTION, FALL) == "Intro to Math"


def test_a_title_that_holds_a_variable_keeps_it() -> None:
    section = changed(SECTION, title="How to use @SEMESTER@ and \\1")

    assert course_title(college(COURSE_TITLE_FORMAT="@COURSE_TITLE@ @SEMESTER@"), section, FALL) == (
        "How to use @SEMESTER@ and \\1 202610"
    )


def test_literal_text_is_kept_though_it_looks_unbalanced() -> None:
    ours = college(COURSE_NAME_FORMAT="(@COURSE_NUMBER@, a@b.c 50%")

    assert course_name(ours, SECTION, FALL) == "(MTH101, a@b.c 50%"


@pytest.mark.parametrize(
    ("template", "names_one"),
    [
        ("@SEMESTER@-@COURSE_NUMBER@-@COURSE_SECTION@", True),
        (EXAMPLE, True),
        ("@COURSE_NUMBER@-@COURSE_SECTION@", False),
        ("@SEMESTER@-@COURSE_NUMBER@", False),
        ("@COURSE_TITLE@", False),
    ],
)
def test_a_format_names_one_section_by_semester_number_and_section(template: str, names_one: bool) -> None:
    assert names_one_section(template) is names_one


def test_sections_of_one_school_that_would_share_a_name_are_found_by_computing_them() -> None:
    ours = college(COURSE_NAME_FORMAT="@COURSE_NUMBER@@COURSE_SECTION@")
    sections = [
        changed(SECTION, course="MTH1", section="01"),
        changed(SECTION, course="MTH10", section="1"),
        changed(SECTION, course="MTH10", section="1", site="WEST", semester="202620"),
        changed(SECTION, course="MTH10", section="1", site="AWAY", semester="202710"),
    ]

    assert same_names(ours, sections, {"202610": FALL}) == {
        "MTH101": (SectionKey("202610", "MTH1", "01"), SectionKey("202610", "MTH10", "1"))
    }


def test_distinct_names_are_no_problem() -> None:
    sections = [SECTION, changed(SECTION, section="5")]

    assert same_names(college(), sections, {}) == {}


def test_awarded_time_and_attendance_name_come_from_enrollment_code_4() -> None:
    ours = college(AWARDED_TIME_ATTENDANCE_NAMES="Flexible Lab", AWARDED_TIME_MINUTES=3600)
    sections = [changed(SECTION, attendance_code=code) for code in ("FLX", "LEC", "OLD", "")]

    assert [(attendance_name(ours, one), awarded_seconds(ours, one)) for one in sections] == [
        ("Flexible Lab", 3600),
        ("Lecture", None),
        (None, None),
        (None, None),
    ]
