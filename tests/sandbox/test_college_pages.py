"""CourseKey and Campus Cafe on the sandbox's pages."""

from __future__ import annotations

import re

import pytest

from tests.sandbox.college_client import CollegeClient

PAGES = (
    "/college/coursekey",
    "/college/coursekey?q=nothing",
    "/college/coursekey/users",
    "/college/campuscafe",
    "/college/campuscafe?q=nothing",
    "/college/campuscafe/202610/MTH101/4",
    "/college/campuscafe/202610/AWK101/9",
)


@pytest.fixture
def client() -> CollegeClient:
    return CollegeClient()


def text(client: CollegeClient, path: str) -> str:
    """What a reader sees of a page, in single spaces."""
    page = client.call("GET", path)
    assert page.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", page.text.partition("<main>")[2].partition("</main>")[0]).split())


def test_coursekey_is_empty_before_anything_is_sent(client: CollegeClient) -> None:
    assert "Users 3 Courses 0 Staff 0 Enrollments 0 Sessions 0 Time records 0 Welcome mails 0 No course yet." in text(
        client, "/college/coursekey"
    )


def test_a_course_is_listed_with_its_numbers_and_leads_to_its_people(client: CollegeClient) -> None:
    made = client.new_course(attendanceName="Flexible Lab", endDate="08/25/2026")
    client.new_user("s@college.example", "200001", sendWelcomeEmail=1, password="x")
    client.coursekey("POST", "/enrollments", email="s@college.example", course=made["addCode"], isAdmin=0)

    row = f"MTH101 - 4 Intro to Math 548156 Flexible Lab {made['addCode']} 1 1 2"
    assert row in text(client, "/college/coursekey")
    assert f"/college/coursekey/courses/{made['courseID']}" in client.call("GET", "/college/coursekey").text
    shown = text(client, f"/college/coursekey/courses/{made['courseID']}")
    assert "Harpdell Elderquist student 200001 s@college.example" in shown
    assert "2026-08-24 00:00:00 23:59:00 US/Eastern made by CourseKey" in shown
    users = text(client, "/college/coursekey/users?q=harpdell")
    assert users.endswith("Harpdell Elderquist s@college.example 548156 200001 student password set 1")


def test_a_search_finds_by_name_and_title_and_says_when_it_finds_nothing(client: CollegeClient) -> None:
    client.new_course("BIO101 - 1", title="Biology")
    assert "BIO101 - 1" in text(client, "/college/coursekey?q=biol")
    assert "No course has “math” in its name or title." in text(client, "/college/coursekey?q=math")


def test_sections_are_listed_with_what_keeps_them_from_coursekey(client: CollegeClient) -> None:
    shown = text(client, "/college/campuscafe?q=awk101")
    assert "202610 AWK101 1 Excluded from the LMS excluded MAIN LEC 2026-08-24 2026-12-11 2026-08-10T14:00:00Z" in shown
    assert "202610 AWK101 7 Cancelled cancelled MAIN" in shown


def test_a_section_shows_its_people_and_how_they_stand(client: CollegeClient) -> None:
    shown = text(client, "/college/campuscafe/202610/AWK101/9")
    assert "Waiting Gristwether 900007 waiting@students.college.example waitlisted" in shown
    assert "Dropping Hollenquist 900008 dropping@students.college.example dropped" in shown


def test_time_attended_is_shown_where_it_is(client: CollegeClient) -> None:
    made = client.new_course()
    client.new_user("s@college.example", "200001")
    client.coursekey("POST", "/enrollments", email="s@college.example", course=made["addCode"], isAdmin=0)
    record = {"schoolID": "548156", "course": made["name"], "email": "s@college.example", "sessionDate": "2026-08-24"}
    client.control("PUT", "coursekey/records", record)
    (kept,) = client.world.coursekey.records.values()
    kept.awarded = 5_430
    row = {"semester": "202610", "courseNumber": "AWK101", "section": "9", "personId": "900009", "date": "2026-09-14"}
    client.world.college.put("attendance", {**row, "hours": 1, "minutes": 5})

    assert "s@college.example 1 h 30 min" in text(client, f"/college/coursekey/courses/{made['courseID']}")
    assert "900009 overriding@students.college.example registered 1 h 05 min" in text(
        client, "/college/campuscafe/202610/AWK101/9"
    )


def test_a_registration_of_nobody_is_shown_as_that(client: CollegeClient) -> None:
    client.world.college.delete("persons", {"id": "900007"})
    assert "nobody known 900007 waitlisted" in text(client, "/college/campuscafe/202610/AWK101/9")


def test_a_long_list_is_left_through_the_pager(client: CollegeClient) -> None:
    for number in range(201):
        key = {"semester": "202610", "courseNumber": "PAG101", "section": str(number + 1)}
        client.world.college.put("sections", {**key, "title": "Paging & more"})
    first = client.call("GET", "/college/campuscafe?q=paging %26").text
    assert "1 to 200 of 201" in " ".join(re.sub(r"<[^>]+>", " ", first).split())
    assert 'href="/college/campuscafe?from=200&amp;q=paging%20%26"' in first
    assert text(client, "/college/campuscafe?from=200&q=paging").endswith("Earlier 201 to 201 of 201")


@pytest.mark.parametrize("path", ["/college/coursekey/courses/1", "/college/campuscafe/202610/MTH101/99"])
def test_what_is_not_there_is_a_404(client: CollegeClient, path: str) -> None:
    assert client.call("GET", path).status_code == 404


def test_everything_shown_is_escaped_and_nothing_is_fetched_from_anywhere(client: CollegeClient) -> None:
    evil = "<script>x</script>"
    client.world.college.put("sections", {"semester": "202610", "courseNumber": evil, "section": "1", "title": evil})
    made = client.new_course(evil, title=evil)
    for path in (*PAGES, f"/college/coursekey/courses/{made['courseID']}"):
        page = client.call("GET", path)
        assert page.status_code == 200
        assert "<script" not in page.text
        assert re.findall(r'(?:src|href|action)="(?!/)[^"]*"|url\(|@import', page.text) == []
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
