"""People in the provisioning report, and the SIS export, reference/canvas.md §10.10."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any

import pytest

from sandbox.canvas.objects import UI, EnrollmentState
from tests.sandbox.rest_client import RestClient
from tests.sandbox.sis_building import SECTIONS, Clock, csv_of, run_csv, run_zip, with_course

USERS = "user_id,login_id,full_name,status,email"
ENROLLMENTS = "course_id,section_id,user_id,role,status,associated_user_id"
ADMINS = "user_id,account_id,role,status"


@pytest.fixture
def canvas() -> RestClient:
    client = RestClient(now=Clock())
    with_course(client.canvas, "S1")
    run_csv(
        client.canvas,
        USERS,
        "U1,kari,Kari Konstruert,active,kari@post.example",
        "U2,ola,Ola Oppdiktet,suspended,",
        "U3,per,Per Påfunn,deleted,",
    )
    run_csv(
        client.canvas,
        ENROLLMENTS,
        "K1,S1,U1,student,active,",
        "K1,S1,U2,observer,inactive,U1",
        "K1,S1,U1,ta,completed,",
        "K1,S1,U2,student,deleted,",
    )
    run_csv(client.canvas, ADMINS, "U1,FSDEMO,AccountAdmin,active", "U2,FSDEMO,AccountAdmin,active")
    run_csv(client.canvas, ADMINS, "U2,FSDEMO,AccountAdmin,deleted")
    return client


def report(canvas: RestClient, name: str, account: str = "self", **parameters: str) -> bytes:
    path = f"/accounts/{account}/reports/{name}"
    data = {f"parameters[{key}]": value for key, value in parameters.items()}
    started = canvas.post(path, data=data).json()
    done: dict[str, Any] = canvas.until(f"{path}/{started['id']}", "status", "complete")
    return canvas.get(done["attachment"]["url"], token=None).content


def table(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode())))


def column(body: bytes, *names: str) -> list[tuple[str, ...]]:
    return [tuple(row[name] for name in names) for row in csv.DictReader(io.StringIO(body.decode()))]


def test_users_are_told_by_their_logins_and_deleted_ones_when_asked(canvas: RestClient) -> None:
    plain = report(canvas, "provisioning_csv", users="1")
    everything = report(canvas, "provisioning_csv", users="1", include_deleted="1")
    sis = report(canvas, "provisioning_csv", users="1", created_by_sis="1")

    assert column(plain, "user_id", "status")[4:] == [("U1", "active"), ("U2", "suspended")]
    assert column(everything, "user_id", "status")[4:] == [("U1", "active"), ("U2", "suspended"), ("U3", "deleted")]
    assert table(sis)[1] == [
        "5",
        "U1",
        "",
        "",
        "kari",
        "Kari",
        "Konstruert",
        "Kari Konstruert",
        "Konstruert, Kari",
        "Kari Konstruert",
        "kari@post.example",
        "active",
        "true",
    ]
    assert len(table(sis)) == 3


def test_enrollments_are_told_in_the_report_s_own_words(canvas: RestClient) -> None:
    wanted = {"enrollments": "1", "created_by_sis": "1"}

    plain = report(canvas, "provisioning_csv", **wanted)
    everything = report(canvas, "provisioning_csv", **wanted, include_deleted="1")

    assert table(plain)[1:] == [
        ["2", "K1", "5", "U1", "student", "2", "2", "S1", "active", "", "", "true", "StudentEnrollment", "false", "4"],
        [
            "2",
            "K1",
            "6",
            "U2",
            "observer",
            "6",
            "2",
            "S1",
            "inactive",
            "5",
            "U1",
            "true",
            "ObserverEnrollment",
            "false",
            "5",
        ],
    ]
    assert column(everything, "user_id", "role", "status") == [
        ("U1", "student", "active"),
        ("U2", "observer", "inactive"),
        ("U1", "ta", "concluded"),
        ("U2", "student", "deleted"),
    ]


def test_enrollments_are_chosen_by_term_role_and_state(canvas: RestClient) -> None:
    run_zip(
        canvas.canvas,
        {
            "terms.csv": csv_of("term_id,name,status", "T1,Høst,active"),
            "courses.csv": csv_of("course_id,short_name,long_name,term_id,status", "K2,K2,Kurs to,T1,active"),
            "enrollments.csv": csv_of(ENROLLMENTS, "K2,,U1,teacher,active,"),
        },
    )

    in_term = report(canvas, "provisioning_csv", enrollments="1", enrollment_term_id="sis_term_id:T1")
    teachers = report(canvas, "provisioning_csv", enrollments="1", enrollment_filter="TeacherEnrollment")
    inactive = report(canvas, "provisioning_csv", enrollments="1", enrollment_states="inactive")

    assert column(in_term, "course_id", "section_id", "user_id") == [("K2", "", "U1")]
    assert column(teachers, "course_id", "user_id") == [("", ""), ("K2", "U1")]
    assert column(inactive, "user_id", "status") == [("U2", "inactive")]


def test_an_enrollment_of_a_deleted_user_or_deleted_by_hand_is_not_told(canvas: RestClient) -> None:
    run_csv(canvas.canvas, USERS, "U1,kari,Kari Konstruert,deleted,")
    canvas.canvas.set_enrollment_state(canvas.canvas.enrollments[3], EnrollmentState.DELETED, UI)

    plain = report(canvas, "provisioning_csv", enrollments="1")
    everything = report(canvas, "provisioning_csv", enrollments="1", include_deleted="1")

    assert column(plain, "canvas_enrollment_id") == [("1",), ("2",), ("5",)]
    assert column(everything, "canvas_enrollment_id", "user_id") == [
        ("1", ""),
        ("2", ""),
        ("4", "U1"),
        ("5", "U2"),
        ("6", "U1"),
        ("7", "U2"),
    ]


def test_admins_are_told_with_their_accounts_and_roles(canvas: RestClient) -> None:
    everywhere = table(report(canvas, "provisioning_csv", admins="1", include_deleted="1"))
    below = report(canvas, "provisioning_csv", "sis_account_id:FSDEMO", admins="1")

    columns = "admin_user_name,canvas_user_id,user_id,canvas_account_id,account_id,role_id,role,status,created_by_sis"
    assert ",".join(everywhere[0]) == columns
    assert everywhere[1:] == [
        ["Integrasjon", "1", "", "1", "", "1", "AccountAdmin", "active", "false"],
        ["Kari Konstruert", "5", "U1", "2", "FSDEMO", "1", "AccountAdmin", "active", "true"],
        ["Ola Oppdiktet", "6", "U2", "2", "FSDEMO", "1", "AccountAdmin", "deleted", "true"],
    ]
    assert column(below, "user_id") == [("U1",)]


def test_a_sub_account_tells_of_its_own_people_only(canvas: RestClient) -> None:
    below = report(canvas, "provisioning_csv", "3", users="1")
    institution = report(canvas, "provisioning_csv", "2", users="1")

    assert column(below, "login_id") == [
        ("ragnhild@sandbox.example",),
        ("olav@sandbox.example",),
        ("solveig@sandbox.example",),
    ]
    assert column(institution, "login_id") == [("kari",)]


def test_the_sis_export_has_an_import_s_columns_of_what_has_a_sis_id(canvas: RestClient) -> None:
    run_csv(canvas.canvas, SECTIONS, "S2,K2,Gruppe to,active")
    run_csv(canvas.canvas, "xlist_course_id,section_id,status", "K1,S2,active")
    kinds = ("users", "accounts", "terms", "courses", "sections", "enrollments", "admins", "xlist")

    body = report(canvas, "sis_export_csv", **dict.fromkeys(kinds, "1"), include_deleted="1")

    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        exported = {name: archive.read(name).decode().splitlines() for name in archive.namelist()}
    assert exported == {
        "users.csv": [
            (
                "user_id,integration_id,authentication_provider_id,login_id,password,first_name,last_name,full_name,"
                "sortable_name,short_name,email,status"
            ),
            'U1,,,kari,,Kari,Konstruert,Kari Konstruert,"Konstruert, Kari",Kari Konstruert,kari@post.example,active',
            'U2,,,ola,,Ola,Oppdiktet,Ola Oppdiktet,"Oppdiktet, Ola",Ola Oppdiktet,,suspended',
            'U3,,,per,,Per,Påfunn,Per Påfunn,"Påfunn, Per",Per Påfunn,,deleted',
        ],
        "accounts.csv": ["account_id,parent_account_id,name,status", "FSDEMO,,Demohøgskolen,active"],
        "terms.csv": ["term_id,name,status,start_date,end_date"],
        "courses.csv": [
            (
                "course_id,integration_id,short_name,long_name,account_id,term_id,status,start_date,end_date,"
                "course_format,blueprint_course_id"
            ),
            "K1,,K1,Kurs en,,,active,,,,",
            "K2,,K2,Kurs to,,,active,,,,",
        ],
        "sections.csv": [
            "section_id,course_id,integration_id,name,status,start_date,end_date",
            "S1,K1,,Gruppe S1,active,,",
            "S2,K2,,Gruppe to,active,,",
        ],
        "enrollments.csv": [
            "course_id,user_id,role,role_id,section_id,status,associated_user_id,limit_section_privileges",
            "K1,U1,student,2,S1,active,,false",
            "K1,U2,observer,6,S1,inactive,U1,false",
            "K1,U1,ta,4,S1,concluded,,false",
            "K1,U2,student,2,S1,deleted,,false",
        ],
        "admins.csv": [
            "user_id,account_id,role_id,role,status",
            "U1,FSDEMO,1,AccountAdmin,active",
            "U2,FSDEMO,1,AccountAdmin,deleted",
        ],
        "xlist.csv": ["xlist_course_id,section_id,status", "K1,S2,active"],
    }
