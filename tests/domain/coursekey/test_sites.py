from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rosterflow.domain.coursekey.sites import School, attendance_name, canonical_zone
from rosterflow.settings import college_problems
from tests.domain.coursekey.builders import college, raw_college


@pytest.mark.parametrize(
    ("description", "name"),
    [
        ("4:Internship", "Internship"),
        ("4: Internship", "Internship"),
        (" 4 : Internship ", "Internship"),
        ("4:Lab: Day", "Lab: Day"),
        ("3:Foo", None),
        ("14:Bar", None),
        ("Internship", None),
        ("4:", None),
        ("4: ", None),
        ("44:Bar", None),
    ],
)
def test_only_a_description_of_enrollment_code_4_is_an_attendance_name(description: str, name: str | None) -> None:
    assert attendance_name(description) == name


def test_a_code_stands_for_its_attendance_name_and_other_codes_for_none() -> None:
    ours = college(rgencd={"INT": "4:Internship", "OLD": "3:Internship"})

    assert [ours.attendance_name_of(code) for code in ("INT", "OLD", "int", "")] == ["Internship", None, None, None]


def test_a_site_leads_to_its_school_and_the_key_to_its_zone() -> None:
    ours = college()

    assert ours.school_of("MAIN") == School("1-1", "coursekey_1", "548156", ZoneInfo("US/Eastern"))
    assert ours.school_of("WEST") == School("1-2", "coursekey_2", "612001", ZoneInfo("US/Arizona"))
    assert ours.school_of("main") is None


def test_a_site_without_school_has_the_zone_of_the_college() -> None:
    zones = [college().zone_of(site) for site in ("MAIN", "WEST", "AWAY")]

    assert zones == [ZoneInfo("US/Eastern"), ZoneInfo("US/Arizona"), ZoneInfo("US/Eastern")]


def test_a_link_is_shown_with_the_zone_it_leads_to() -> None:
    assert [canonical_zone(name) for name in ("US/Eastern", "US/Arizona", "Europe/Oslo")] == [
        "America/New_York",
        "America/Phoenix",
        "Europe/Oslo",
    ]


def pair(**fields: Any) -> dict[str, Any]:
    return {"alias": "1-1", "connection": "coursekey_1", "school": "548156", "site": "MAIN"} | fields


@pytest.mark.parametrize(
    ("pairs", "problems"),
    [
        ([pair(), pair(alias="1-2", school="548157", site="WEST")], []),
        ([pair(school="0042")], []),
        ([], ["crskeyauth: must not be empty"]),
        ([pair(), pair(alias="1-2", school="548157")], ["crskeyauth: site 'MAIN' is given 2 times"]),
        ([pair(), pair(school="548157", site="WEST")], ["crskeyauth: alias '1-1' is given 2 times"]),
        (
            [pair(), pair(alias="1-2", connection="coursekey_2", site="WEST")],
            ["crskeyauth: school '548156' is under 2 auth keys"],
        ),
        ([pair(site="NOWHERE")], ["crskeyauth: site 'NOWHERE' is not in RCCONO"]),
        ([pair(school=548156)], ["crskeyauth.0.school: must be text; write it in quotes"]),
        ([pair(school=" ")], ["crskeyauth.0.school: must not be empty"]),
        (
            [pair(timezone="US/easter")],
            ["crskeyauth.0.timezone: no time zone is called 'US/easter'; write one like Europe/Oslo"],
        ),
        (
            [pair(connection="a key||US/Eastern")],
            ["crskeyauth.0.connection: is no id of an Airflow connection (letters, digits, '_', '.' and '-')"],
        ),
    ],
)
def test_pairs_of_keys_and_schools_must_fit_together(pairs: list[dict[str, Any]], problems: list[str]) -> None:
    assert college_problems(raw_college(crskeyauth=pairs, not_integrated_sites=None)) == problems


def test_one_auth_key_may_have_several_schools() -> None:
    ours = college(crskeyauth=[pair(), pair(alias="1-2", school="548157", site="WEST")])

    schools = [ours.school_of(site) for site in ("MAIN", "WEST")]
    assert [(school.connection, school.school_id) for school in schools if school] == [
        ("coursekey_1", "548156"),
        ("coursekey_1", "548157"),
    ]


@pytest.mark.parametrize(
    ("site", "problem"),
    [
        ("NOWHERE", "not_integrated_sites: site 'NOWHERE' is not in RCCONO"),
        ("MAIN", "not_integrated_sites: site 'MAIN' has a school in CRSKEYAUTH"),
    ],
)
def test_a_site_that_is_left_out_is_known_and_has_no_school(site: str, problem: str) -> None:
    assert college_problems(raw_college(not_integrated_sites=[site])) == [problem]


def test_without_attendance_names_nothing_could_be_sent() -> None:
    assert college_problems(raw_college(rgencd={"OLD": "3:Lecture"})) == [
        "rgencd: no description begins with '4:', so there is no attendance name"
    ]
    assert college_problems(raw_college(rgencd={})) == ["rgencd: must not be empty"]


@pytest.mark.parametrize("name", ["NO_ATTENDANCE_SESSION_SYNC", "AWARDED_TIME_ATTENDANCE_NAMES"])
def test_an_attendance_name_in_a_list_is_one_of_rgencd(name: str) -> None:
    changes = {name: "Flexible Lab|Blended", "AWARDED_TIME_MINUTES": 3600}

    assert college_problems(raw_college(**changes)) == [
        f"coursekey.COURSEKEY_{name}: 'Blended' is no attendance name of RGENCD"
    ]
