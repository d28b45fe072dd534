"""Courses and sections over REST."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.canvas.objects import Write
from tests.sandbox.rest_client import RestClient

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
IMPORT = Write(batch_id=1)


@pytest.fixture
def canvas() -> RestClient:
    return RestClient(now=lambda: NOON)


def course(canvas: RestClient, sis_id: str) -> dict[str, Any]:
    path = f"/courses/sis_course_id:{sis_id}?include[]=all_courses"
    return canvas.get(path).json()  # type: ignore[no-any-return]


def listed(canvas: RestClient, query: str = "") -> list[str]:
    rows = canvas.get(f"/accounts/sis_account_id:FSDEMO/courses{query}").json()
    return [row["sis_course_id"] for row in rows]


def event(canvas: RestClient, sis_id: str, name: str) -> int:
    path = f"/courses/sis_course_id:{sis_id}"
    return canvas.put(path, data={"course[event]": name}).status_code


def enroll(canvas: RestClient, section_id: int, user_id: int = 3) -> dict[str, Any]:
    data = {"enrollment[user_id]": str(user_id), "enrollment[enrollment_state]": "active"}
    response = canvas.post(f"/sections/{section_id}/enrollments", data=data)
    assert response.status_code == 200, response.text
    return response.json()  # type: ignore[no-any-return]


def test_a_new_course_is_unpublished_in_the_default_term(canvas: RestClient) -> None:
    made = canvas.new_course("UE_184_MAT101_1_2026_HØST_1")

    assert course(canvas, "UE_184_MAT101_1_2026_H%C3%98ST_1") == made
    assert made == {
        "id": 2,
        "name": "Emne UE_184_MAT101_1_2026_HØST_1",
        "account_id": 2,
        "uuid": "sandbox-course-2",
        "start_at": None,
        "end_at": None,
        "created_at": "2026-09-01T12:00:00Z",
        "course_code": "UE_184_MAT101_1_2026_HØST_1",
        "root_account_id": 1,
        "enrollment_term_id": 1,
        "grade_passback_setting": None,
        "restrict_enrollments_to_course_dates": False,
        "course_format": None,
        "blueprint": False,
        "workflow_state": "unpublished",
        "sis_course_id": "UE_184_MAT101_1_2026_HØST_1",
        "integration_id": None,
        "sis_import_id": None,
    }


def test_a_course_is_offered_as_it_is_made(canvas: RestClient) -> None:
    given = {"course[name]": "Åpent kurs", "offer": "true"}

    assert canvas.post("/accounts/2/courses", data=given).json()["workflow_state"] == "available"


def test_dates_count_only_when_the_course_is_restricted_to_them(canvas: RestClient) -> None:
    dates = {"start_at": "2026-08-01", "end_at": "2026-12-01"}
    restricted = {**dates, "restrict_enrollments_to_course_dates": "true"}

    without, with_flag = canvas.new_course("A", **dates), canvas.new_course("B", **restricted)

    assert (without["start_at"], without["end_at"]) == (None, None)
    assert (with_flag["start_at"], with_flag["end_at"]) == ("2026-08-01T00:00:00Z", "2026-12-01T00:00:00Z")


def test_events_take_a_course_through_its_states(canvas: RestClient) -> None:
    canvas.new_course("A")
    states = []
    for name in ("offer", "claim", "offer", "conclude", "delete", "undelete"):
        assert event(canvas, "A", name) == 200
        states.append(course(canvas, "A")["workflow_state"])

    assert states == ["available", "unpublished", "available", "completed", "deleted", "unpublished"]


def test_a_deleted_course_is_a_404_and_can_only_be_undeleted(canvas: RestClient) -> None:
    canvas.new_course("A")

    assert canvas.delete("/courses/sis_course_id:A?event=delete").json() == {"delete": True}
    assert canvas.get("/courses/sis_course_id:A").status_code == 404
    assert canvas.delete("/courses/sis_course_id:A?event=delete").status_code == 404
    assert canvas.put("/courses/sis_course_id:A", data={"course[name]": "Ny"}).status_code == 404


def test_a_course_is_deleted_or_concluded_but_not_just_removed(canvas: RestClient) -> None:
    response = canvas.delete("/courses/1")

    assert (response.status_code, response.json()) == (
        400,
        {"message": 'Only "delete" and "conclude" events are allowed.'},
    )


def test_the_hand_made_course_has_graded_work_and_stays_published(canvas: RestClient) -> None:
    response = canvas.put("/courses/1", data={"course[event]": "claim"})

    message = "Course cannot be unpublished if student submissions exist."
    error = {"attribute": "workflow_state", "type": message, "message": message}
    assert (response.status_code, response.json()) == (400, {"errors": {"workflow_state": [error]}})
    assert canvas.get("/courses/1").json()["workflow_state"] == "available"


def test_concluding_completes_enrollments_and_undeleting_does_not_bring_them_back(canvas: RestClient) -> None:
    def states() -> list[str]:
        rows = canvas.get("/courses/1/enrollments?state[]=active&state[]=completed&state[]=deleted").json()
        return [row["enrollment_state"] for row in rows]

    canvas.put("/courses/1", data={"course[event]": "conclude"})
    concluded = states()
    canvas.put("/courses/1", data={"course[event]": "delete"})
    canvas.put("/courses/1", data={"course[event]": "undelete"})

    assert (concluded, states()) == (["completed"] * 3, ["deleted"] * 3)


def test_a_course_moves_to_another_account_and_term(canvas: RestClient) -> None:
    canvas.new_account("F")
    canvas.new_term("T")
    canvas.new_course("A")

    given = {"course[account_id]": "sis_account_id:F", "course[term_id]": "sis_term_id:T"}
    moved = canvas.put("/courses/sis_course_id:A", data=given).json()

    assert (moved["account_id"], moved["enrollment_term_id"]) == (4, 2)


def test_what_rest_changed_an_import_leaves_alone_and_the_rest_it_writes(canvas: RestClient) -> None:
    canvas.new_course("A")
    record = canvas.canvas.courses.by_sis_id("A")
    assert record is not None
    record.stuck = frozenset()

    canvas.put("/courses/sis_course_id:A", data={"course[name]": "Lærerens navn"})
    canvas.canvas.update_course(record, {"name": "Fra SIS", "course_code": "SIS101"}, IMPORT)

    assert (record.name, record.course_code) == ("Lærerens navn", "SIS101")


def test_a_deleted_course_of_that_sis_id_comes_back_when_asked(canvas: RestClient) -> None:
    first = canvas.new_course("A")
    event(canvas, "A", "delete")

    given = {"course[name]": "Igjen", "course[sis_course_id]": "A"}
    refused = canvas.post("/accounts/2/courses", data=given)
    revived = canvas.post("/accounts/2/courses", data={**given, "enable_sis_reactivation": "true"}).json()

    assert refused.status_code == 400
    assert (revived["id"], revived["name"], revived["workflow_state"]) == (first["id"], "Igjen", "unpublished")


def test_an_account_lists_the_courses_below_it_by_filter(canvas: RestClient) -> None:
    canvas.new_term("T")
    canvas.new_account("F", parent="sis_account_id:FSDEMO")
    canvas.new_course("A", name="Årsstudium", term_id="sis_term_id:T")
    canvas.new_course("B", "sis_account_id:F", name="Statistikk")
    canvas.new_course("C", "sis_account_id:F")
    event(canvas, "B", "offer")
    event(canvas, "C", "delete")

    assert listed(canvas) == ["A", "B"]
    assert listed(canvas, "?state[]=all") == ["A", "B", "C"]
    assert listed(canvas, "?state[]=available&state[]=deleted") == ["B", "C"]
    assert listed(canvas, "?enrollment_term_id=sis_term_id:T") == ["A"]
    assert listed(canvas, "?search_term=ÅRSST") == ["A"]
    assert listed(canvas, "?published=true") == ["B"]
    assert listed(canvas, "?published=false") == ["A"]
    assert listed(canvas, "?by_subaccounts[]=sis_account_id:F") == ["B"]
    assert listed(canvas, "?sort=sis_course_id&order=desc") == ["B", "A"]


def test_a_search_of_two_letters_is_refused(canvas: RestClient) -> None:
    assert canvas.get("/accounts/self/courses?search_term=ab").status_code == 400


def test_a_list_carries_what_it_is_asked_to_include(canvas: RestClient) -> None:
    asked = "&".join(f"include[]={name}" for name in ("term", "account", "sections", "total_students", "concluded"))

    (shown,) = canvas.get(f"/accounts/3/courses?{asked}").json()

    assert (shown["term"]["name"], shown["account"]["name"]) == ("Default Term", "Laget for hånd")
    assert [section["name"] for section in shown["sections"]] == ["Høstpuljen"]
    assert (shown["total_students"], shown["concluded"]) == (2, False)


def test_one_event_for_many_courses_is_done_with_a_progress(canvas: RestClient) -> None:
    for sis_id in ("A", "B"):
        canvas.new_course(sis_id)

    given = {"course_ids[]": ["sis_course_id:A", "sis_course_id:B"], "event": "offer"}
    progress = canvas.put("/accounts/2/courses", data=given).json()
    done = canvas.until(f"/progress/{progress['id']}", "workflow_state", "completed")

    assert (done["completion"], done["tag"]) == (100, "course_batch_update")
    assert [course(canvas, sis_id)["workflow_state"] for sis_id in ("A", "B")] == ["available", "available"]


def test_a_section_shows_its_course_and_its_sis_ids(canvas: RestClient) -> None:
    canvas.new_course("A")
    made = canvas.new_section("S", "A", name="Gruppe 1", start_at="2026-08-20")

    assert canvas.get("/sections/sis_section_id:S").json() == made
    assert canvas.get("/courses/sis_course_id:A/sections").json() == [made]
    assert canvas.get(f"/courses/sis_course_id:A/sections/{made['id']}").json() == made
    assert canvas.get(f"/courses/1/sections/{made['id']}").status_code == 404
    assert made == {
        "id": 2,
        "course_id": 2,
        "name": "Gruppe 1",
        "start_at": "2026-08-20T00:00:00Z",
        "end_at": None,
        "created_at": "2026-09-01T12:00:00Z",
        "restrict_enrollments_to_section_dates": False,
        "nonxlist_course_id": None,
        "sis_section_id": "S",
        "integration_id": None,
        "sis_import_id": None,
        "sis_course_id": "A",
    }


def test_a_cross_listed_section_takes_its_people_along_and_home_again(canvas: RestClient) -> None:
    first, second = canvas.new_course("A"), canvas.new_course("B")
    section = canvas.new_section("S", "A")
    enroll(canvas, section["id"])

    away = canvas.post("/sections/sis_section_id:S/crosslist/sis_course_id:B").json()
    (guest,) = canvas.get("/courses/sis_course_id:B/enrollments").json()
    home = canvas.delete("/sections/sis_section_id:S/crosslist").json()
    (resident,) = canvas.get("/courses/sis_course_id:A/enrollments").json()

    assert (away["course_id"], away["nonxlist_course_id"]) == (second["id"], first["id"])
    assert (home["course_id"], home["nonxlist_course_id"]) == (first["id"], None)
    assert (guest["course_id"], resident["course_id"]) == (second["id"], first["id"])


def test_a_section_that_is_at_home_is_not_brought_home(canvas: RestClient) -> None:
    response = canvas.delete("/sections/1/crosslist")

    assert (response.status_code, response.json()) == (400, {"message": "section is not cross-listed"})


def test_a_section_is_not_cross_listed_into_a_deleted_course(canvas: RestClient) -> None:
    canvas.new_course("A")
    canvas.new_section("S", "A")
    canvas.new_course("B")
    event(canvas, "B", "delete")

    assert canvas.post("/sections/sis_section_id:S/crosslist/sis_course_id:B").status_code == 404


def test_cross_listing_by_rest_holds_against_an_import(canvas: RestClient) -> None:
    for sis_id in ("A", "B"):
        canvas.new_course(sis_id)
    canvas.new_section("S", "A")
    section = canvas.canvas.sections.by_sis_id("S")
    assert section is not None
    section.stuck = frozenset()

    canvas.post("/sections/sis_section_id:S/crosslist/sis_course_id:B")

    assert canvas.canvas.uncrosslist(section, IMPORT) == set()


def test_a_section_with_people_stays_until_they_are_deleted(canvas: RestClient) -> None:
    canvas.new_course("A")
    section = canvas.new_section("S", "A")
    enrollment = enroll(canvas, section["id"])
    path = f"/courses/sis_course_id:A/enrollments/{enrollment['id']}"

    canvas.delete(f"{path}?task=conclude")
    refused = canvas.delete("/sections/sis_section_id:S")
    canvas.delete(f"{path}?task=delete")

    assert (refused.status_code, refused.json()) == (
        400,
        {"message": "You can't delete a section that has enrollments"},
    )
    assert canvas.delete("/sections/sis_section_id:S").status_code == 200
    assert canvas.get("/sections/sis_section_id:S").status_code == 404


def test_a_deleted_section_of_that_sis_id_comes_back_when_asked(canvas: RestClient) -> None:
    canvas.new_course("A")
    canvas.new_course("B")
    first = canvas.new_section("S", "A")
    canvas.delete("/sections/sis_section_id:S")

    given = {"course_section[name]": "Igjen", "course_section[sis_section_id]": "S"}
    path = "/courses/sis_course_id:B/sections"
    refused = canvas.post(path, data=given)
    revived = canvas.post(path, data={**given, "enable_sis_reactivation": "true"}).json()

    assert refused.status_code == 400
    assert (revived["id"], revived["name"], revived["sis_course_id"]) == (first["id"], "Igjen", "B")


def test_a_section_does_not_end_before_it_starts(canvas: RestClient) -> None:
    given = {"course_section[start_at]": "2026-09-01", "course_section[end_at]": "2026-08-01"}
    response = canvas.put("/sections/1", data=given)

    message = "End date cannot be before start date"
    error = {"attribute": "end_at", "type": message, "message": message}
    assert (response.status_code, response.json()) == (400, {"errors": {"end_at": [error]}})
