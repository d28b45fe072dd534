"""The provisioning report of the sandbox's Canvas."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.canvas.objects import EnrollmentState, Write
from sandbox.faults import Fault
from tests.sandbox.rest_client import READ_ONLY, RestClient

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
IMPORT = Write(batch_id=7)
REPORTS = "/accounts/{}/reports/provisioning_csv"


@pytest.fixture
def canvas() -> RestClient:
    return RestClient(now=lambda: NOON)


def run(canvas: RestClient, account: str = "self", **parameters: str) -> dict[str, Any]:
    data = {f"parameters[{name}]": value for name, value in parameters.items()}
    started = canvas.post(REPORTS.format(account), data=data).json()
    return canvas.until(f"{REPORTS.format(account)}/{started['id']}", "status", "complete")


def lines(canvas: RestClient, kind: str, account: str = "self", **parameters: str) -> list[str]:
    report = run(canvas, account, **{kind: "true"}, **parameters)
    return canvas.get(report["attachment"]["url"], token=None).text.splitlines()


def column(canvas: RestClient, kind: str, name: str, account: str = "self", **parameters: str) -> list[str]:
    return [row[name] for row in csv.DictReader(lines(canvas, kind, account, **parameters))]


def test_one_table_is_a_csv_that_can_be_fetched_with_its_url_alone(canvas: RestClient) -> None:
    report = run(canvas, accounts="true")
    file = canvas.get(report["attachment"]["url"], token=None)

    assert (report["progress"], report["parameters"]) == (100, {"accounts": "true"})
    assert (report["started_at"], report["ended_at"]) == ("2026-09-01T12:00:00Z", "2026-09-01T12:00:00Z")
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert file.text == (
        "canvas_account_id,account_id,canvas_parent_id,parent_account_id,name,status,created_by_sis\n"
        "2,FSDEMO,1,,Demohøgskolen,active,false\n"
        "3,,1,,Laget for hånd,active,false\n"
    )


def test_several_tables_are_a_zip_with_a_file_for_each(canvas: RestClient) -> None:
    report = run(canvas, sections="1", courses="true", accounts="0")
    body = canvas.get(report["attachment"]["url"], token=None).content

    assert report["attachment"]["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.namelist() == ["courses.csv", "sections.csv"]
        assert archive.read("sections.csv").decode().splitlines()[1:] == ["1,,1,,,Høstpuljen,active,,,3,,false"]


def test_a_file_needs_its_verifier_or_a_token(canvas: RestClient) -> None:
    url = run(canvas, terms="true")["attachment"]["url"].split("?")[0]

    assert canvas.get(f"{url}?verifier=guessed", token=None).status_code == 401
    assert canvas.get(url).status_code == 200


def test_courses_are_told_in_the_report_s_own_words(canvas: RestClient) -> None:
    restricted = {"restrict_enrollments_to_course_dates": "true"}
    canvas.new_term("T")
    canvas.new_course("A", term_id="sis_term_id:T", start_at="2026-08-01", **restricted)
    for sis_id, event in {"B": "offer", "C": "conclude", "D": "delete"}.items():
        canvas.new_course(sis_id)
        canvas.put(f"/courses/sis_course_id:{sis_id}", data={"course[event]": event})
    record = canvas.canvas.courses.by_sis_id("B")
    assert record is not None
    record.start_at = NOON

    assert lines(canvas, "courses", include_deleted="true") == [
        (
            "canvas_course_id,course_id,integration_id,short_name,long_name,canvas_account_id,account_id,"
            "canvas_term_id,term_id,status,start_date,end_date,course_format,canvas_blueprint_course_id,"
            "blueprint_course_id,created_by_sis"
        ),
        "1,,,VELKOMST,Velkomstkurs for nytilsatte,3,,1,,active,,,,,,false",
        "2,A,,A,Emne A,2,FSDEMO,2,T,unpublished,2026-08-01T00:00:00Z,,,,,false",
        "3,B,,B,Emne B,2,FSDEMO,1,,active,,,,,,false",
        "4,C,,C,Emne C,2,FSDEMO,1,,concluded,,,,,,false",
        "5,D,,D,Emne D,2,FSDEMO,1,,deleted,,,,,,false",
    ]
    assert column(canvas, "courses", "course_id") == ["", "A", "B", "C"]
    assert column(canvas, "courses", "course_id", enrollment_term_id="sis_term_id:T") == ["A"]


def test_only_what_an_import_wrote_is_created_by_sis(canvas: RestClient) -> None:
    canvas.new_account("A")
    canvas.canvas.create_account(IMPORT, name="Fra SIS", parent_account_id=2, sis_id="B")

    assert column(canvas, "accounts", "created_by_sis") == ["false", "false", "false", "true"]
    assert column(canvas, "accounts", "account_id", created_by_sis="true") == ["B"]


def test_a_sub_account_reports_its_own_children_and_all_courses_below(canvas: RestClient) -> None:
    canvas.new_account("F", parent="sis_account_id:FSDEMO")
    canvas.new_account("I", parent="sis_account_id:F")
    canvas.new_course("A", "sis_account_id:I")

    assert column(canvas, "accounts", "account_id", "sis_account_id:FSDEMO") == ["F"]
    assert column(canvas, "courses", "course_id", "sis_account_id:FSDEMO") == ["A"]


def test_terms_carry_their_dates(canvas: RestClient) -> None:
    canvas.new_term("2026_HØST", name="Høst 2026", start_at="2026-08-01", end_at="2026-12-31")

    assert lines(canvas, "terms") == [
        "canvas_term_id,term_id,name,status,start_date,end_date,created_by_sis",
        "1,,Default Term,active,,,false",
        "2,2026_HØST,Høst 2026,active,2026-08-01T00:00:00Z,2026-12-31T00:00:00Z,false",
    ]


def test_a_cross_listed_section_is_listed_at_home_and_as_a_cross_listing(canvas: RestClient) -> None:
    for sis_id in ("A", "B"):
        canvas.new_course(sis_id)
    canvas.new_section("S", "A")
    canvas.post("/sections/sis_section_id:S/crosslist/sis_course_id:B")

    assert lines(canvas, "sections")[2:] == ["2,S,2,A,,Gruppe S,active,,,2,FSDEMO,false"]
    assert lines(canvas, "xlist") == [
        (
            "canvas_xlist_course_id,xlist_course_id,canvas_section_id,section_id,status,"
            "canvas_nonxlist_course_id,nonxlist_course_id"
        ),
        "3,B,2,S,active,2,A",
    ]


def test_users_are_told_by_their_logins(canvas: RestClient) -> None:
    given = {"user[name]": "Kari Nordmann Oppdiktet", "pseudonym[unique_id]": "kari@sandbox.example"}
    canvas.post("/accounts/self/users", data={**given, "pseudonym[sis_user_id]": "S1"})

    header, *rows = lines(canvas, "users")

    assert header == (
        "canvas_user_id,user_id,integration_id,authentication_provider_id,login_id,first_name,last_name,"
        "full_name,sortable_name,short_name,email,status,created_by_sis"
    )
    assert rows[-1] == (
        "5,S1,,,kari@sandbox.example,Kari Nordmann,Oppdiktet,Kari Nordmann Oppdiktet,"
        '"Oppdiktet, Kari Nordmann",Kari Nordmann Oppdiktet,,active,false'
    )


def test_a_completed_enrollment_is_concluded_and_needs_include_deleted(canvas: RestClient) -> None:
    canvas.delete("/courses/1/enrollments/2?task=conclude")

    assert lines(canvas, "enrollments") == [
        (
            "canvas_course_id,course_id,canvas_user_id,user_id,role,role_id,canvas_section_id,section_id,status,"
            "canvas_associated_user_id,associated_user_id,created_by_sis,base_role_type,limit_section_privileges,"
            "canvas_enrollment_id"
        ),
        "1,,2,,teacher,3,1,,active,,,false,TeacherEnrollment,false,1",
        "1,,4,,student,2,1,,active,,,false,StudentEnrollment,false,3",
    ]
    statuses = column(canvas, "enrollments", "status", include_deleted="true")
    assert statuses == ["active", "concluded", "active"]


def test_what_a_person_deleted_from_a_roster_is_never_reported(canvas: RestClient) -> None:
    canvas.delete("/courses/1/enrollments/2?task=delete")
    canvas.canvas.set_enrollment_state(canvas.canvas.enrollments[3], EnrollmentState.DELETED, IMPORT)

    assert column(canvas, "enrollments", "canvas_enrollment_id", include_deleted="true") == ["1", "3"]


def test_a_report_runs_slowly_on_demand_and_can_be_stopped(canvas: RestClient) -> None:
    canvas.world.faults.add(Fault("canvas", "slow_import", seconds=60))
    started = canvas.post(REPORTS.format("self"), data={"parameters[terms]": "true"}).json()
    path = f"{REPORTS.format('self')}/{started['id']}"
    running = canvas.until(path, "status", "running")

    aborted = canvas.put(f"{path}/abort").json()

    assert (started["status"], running["progress"], aborted["status"]) == ("created", 0, "aborted")
    assert canvas.put(f"{path}/abort").status_code == 404
    assert "attachment" not in canvas.get(path).json()


def test_reports_are_listed_with_their_runs_until_they_are_deleted(canvas: RestClient) -> None:
    first, second = run(canvas, terms="true"), run(canvas, accounts="true")

    available, export = canvas.get("/accounts/self/reports").json()
    both = canvas.get(REPORTS.format("self")).json()
    canvas.delete(f"{REPORTS.format('self')}/{first['id']}")

    assert (available["report"], available["last_run"]["id"]) == ("provisioning_csv", second["id"])
    assert (export["report"], export["last_run"]) == ("sis_export_csv", None)
    assert [entry["id"] for entry in both] == [second["id"], first["id"]]
    assert [entry["id"] for entry in canvas.get(REPORTS.format("self")).json()] == [second["id"]]
    assert canvas.get(f"{REPORTS.format('self')}/{first['id']}").status_code == 404


def test_a_report_needs_a_table_this_canvas_knows(canvas: RestClient) -> None:
    def answer(name: str, **data: str) -> tuple[int, Any]:
        response = canvas.post(f"/accounts/self/reports/{name}", data=data)
        return response.status_code, response.json()

    kinds = "users, accounts, terms, courses, sections, enrollments, admins, xlist"
    assert answer("provisioning_csv") == (400, {"message": f"Choose at least one of {kinds}."})
    assert answer("provisioning_csv", **{"parameters[groups]": "true"}) == (
        400,
        {"message": "The sandbox does not report groups yet."},
    )
    assert answer("grade_export_csv")[0] == 404


def test_reading_a_report_needs_no_right_to_write(canvas: RestClient) -> None:
    response = canvas.post(REPORTS.format("self"), token=READ_ONLY, data={"parameters[terms]": "true"})

    assert response.status_code == 200
