"""Who Canvas's provisioning report says is where."""

from __future__ import annotations

import io
import zipfile

import pytest

from rosterflow.domain.errors import Code, RetryableError
from rosterflow.domain.model import Key, Kind
from rosterflow.domain.rosters import shelf_of
from rosterflow.wire.provisioning_csv import objects_of
from rosterflow.wire.provisioning_people import others_of, rosters_of

USERS = """canvas_user_id,user_id,integration_id,authentication_provider_id,login_id,first_name,last_name,full_name,\
sortable_name,short_name,email,status,created_by_sis
1,FS_184_1,,,kari@x.no,Kari,Nordmann,Kari Nordmann,"Nordmann, Kari",Kari,kari@example.org,active,true
2,FS_184_2,,,ola@x.no,Ola,Nordmann,Ola Nordmann,"Nordmann, Ola",Ola,,suspended,true
3,OTHER_3,,,per@x.no,Per,Nordmann,Per Nordmann,"Nordmann, Per",Per,,active,true
4,,,,eli@x.no,Eli,Nordmann,Eli Nordmann,"Nordmann, Eli",Eli,,active,false
"""
HEADER = (
    "canvas_course_id,course_id,canvas_user_id,user_id,role,role_id,canvas_section_id,section_id,status,"
    "canvas_associated_user_id,associated_user_id,created_by_sis,base_role_type,limit_section_privileges,"
    "canvas_enrollment_id\n"
)
ADMINS = """admin_user_name,canvas_user_id,user_id,canvas_account_id,account_id,role_id,role,status,created_by_sis
Kari Nordmann,1,FS_184_1,3,184_1,1,AccountAdmin,active,true
Ola Nordmann,2,FS_184_2,3,184_1,1,AccountAdmin,active,false
Per Nordmann,3,OTHER_3,3,184_1,1,AccountAdmin,active,true
Kari Nordmann,1,FS_184_1,1,,1,AccountAdmin,active,true
"""


def enrollment(
    user: str, status: str, by_sis: str = "true", section: str = "UA_1", observed: str = "", role: str = "student"
) -> str:
    return f"1,UE_1,1,{user},{role},3,1,{section},{status},,{observed},{by_sis},StudentEnrollment,false,1\n"


def found(report: bytes) -> dict[str, dict[str, str]]:
    rosters = rosters_of(report, lambda user: user.startswith("FS_184_"))
    return {key.sis_id: {u: m[-1] for u, m in roster.members.items()} for key, roster in rosters.items()}


def test_users_of_ours_are_on_their_shelves_with_all_that_is_compared() -> None:
    rosters = rosters_of(USERS.encode(), lambda user: user.startswith("FS_184_"))

    assert {user: member for roster in rosters.values() for user, member in roster.members.items()} == {
        "FS_184_1": ("kari@x.no", "Kari Nordmann", "Nordmann, Kari", "kari@example.org", "active"),
        "FS_184_2": ("ola@x.no", "Ola Nordmann", "Nordmann, Ola", "", "suspended"),
    }
    assert {key.sis_id for key in rosters} == {f"shelf {shelf_of('FS_184_1')}", f"shelf {shelf_of('FS_184_2')}"}


def test_the_reports_words_for_an_enrollment_are_ours() -> None:
    words = ("active", "inactive", "concluded", "deleted", "invited", "rejected")
    rows = "".join(enrollment(f"FS_184_{number}", word) for number, word in enumerate(words))

    assert found((HEADER + rows).encode()) == {
        "section UA_1 as StudentEnrollment": {
            "FS_184_0": "active",
            "FS_184_1": "inactive",
            "FS_184_2": "completed",
            "FS_184_3": "deleted",
            "FS_184_4": "inactive",
            "FS_184_5": "deleted",
        }
    }


def test_who_was_brought_by_hand_is_told_apart_and_of_two_rows_ours_counts() -> None:
    rows = (
        enrollment("FS_184_1", "active", "false")
        + enrollment("FS_184_2", "deleted", "false")
        + enrollment("FS_184_3", "active", "false")
        + enrollment("FS_184_3", "active")
        + enrollment("FS_184_3", "deleted")
    )

    assert found((HEADER + rows).encode()) == {
        "section UA_1 as StudentEnrollment": {"FS_184_1": "by-hand", "FS_184_3": "active"}
    }


def test_a_section_without_a_sis_id_is_the_courses_own_and_observers_are_left_out() -> None:
    rows = (
        enrollment("FS_184_1", "active", section="")
        + enrollment("FS_184_2", "active", observed="FS_184_1")
        + enrollment("OTHER_3", "active")
        + enrollment("", "active")
    )

    assert found((HEADER + rows).encode()) == {"course UE_1 as StudentEnrollment": {"FS_184_1": "active"}}


def test_a_custom_role_goes_by_its_name() -> None:
    row = enrollment("FS_184_1", "active", role="Følger")

    assert found((HEADER + row).encode()) == {"section UA_1 as Følger": {"FS_184_1": "active"}}


def test_administrators_of_accounts_with_a_sis_id() -> None:
    assert found(ADMINS.encode()) == {
        "account 184_1 as AccountAdmin": {"FS_184_1": "active", "FS_184_2": "by-hand"},
    }


def test_people_and_objects_come_in_one_zip_and_each_reader_takes_its_own() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("users.csv", USERS)
        archive.writestr("enrollments.csv", HEADER + enrollment("FS_184_1", "active"))
        archive.writestr("admins.csv", ADMINS)
        archive.writestr(
            "accounts.csv",
            "canvas_account_id,account_id,canvas_parent_id,parent_account_id,name,status,created_by_sis\n"
            "3,184_1,1,,Institutt,active,true\n",
        )

    assert len(found(out.getvalue())) == 4
    assert [thing.sis_id for thing in objects_of(out.getvalue())] == ["184_1"]


@pytest.mark.parametrize("broken", [enrollment("FS_184_1", "strange"), "1,2,3\n", '1,"2\n'])
def test_a_broken_file_or_an_unknown_status_is_no_base(broken: str) -> None:
    with pytest.raises(RetryableError) as caught:
        found((HEADER + broken).encode())

    assert caught.value.code is Code.BAD_RESPONSE


def test_three_hundred_thousand_rows_are_read() -> None:
    rows = "".join(enrollment(f"FS_184_{n % 60_000}", "active", section=f"UA_{n // 15}") for n in range(300_000))
    report = (HEADER + rows).encode()

    rosters = rosters_of(report, lambda user: user.startswith("FS_184_"))

    assert sum(len(roster.members) for roster in rosters.values()) == 300_000


def test_who_is_none_of_ours_or_came_by_no_import_is_counted_where_they_are() -> None:
    rows = (
        enrollment("FS_184_1", "active"),
        enrollment("FS_184_2", "active", by_sis="false"),
        enrollment("OTHER_3", "active"),
        enrollment("", "concluded", by_sis="false"),
        enrollment("", "deleted", by_sis="false"),
        enrollment("OTHER_3", "inactive", section=""),
    )
    found = others_of((HEADER + "".join(rows)).encode(), lambda user: user.startswith("FS_184_"))

    assert found == {
        Key(Kind.SECTION, "UA_1"): {"active": 2, "completed": 1},
        Key(Kind.COURSE, "UE_1"): {"inactive": 1},
    }


def test_administrators_of_others_are_counted_too() -> None:
    found = others_of(ADMINS.encode(), lambda user: user.startswith("FS_184_"))

    assert found[Key(Kind.ACCOUNT, "184_1")] == {"active": 2}


def test_an_unknown_state_of_anybody_is_no_report() -> None:
    with pytest.raises(RetryableError, match="unknown status 'odd'"):
        others_of((HEADER + enrollment("OTHER_3", "odd")).encode(), lambda _: False)
