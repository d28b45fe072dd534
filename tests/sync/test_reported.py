"""What is taken of a provisioning report, when it is known what matters in it."""

from __future__ import annotations

from rosterflow.domain.rosters import Roster
from rosterflow.sync.reported import things_of
from tests.harness import institution

USERS = (
    "canvas_user_id,user_id,integration_id,authentication_provider_id,login_id,first_name,last_name,full_name,"
    "sortable_name,short_name,email,status,created_by_sis\n"
    "9,OTHER_9,,,9@x.no,,,Per,Per,Per,,active,true\n"
    "1,FS_184_1,,,1@x.no,,,Kari,Kari,Kari,,active,true\n"
    "2,FS_184_2,,,2@x.no,,,Ola,Ola,Ola,,active,true\n"
    "3,FS_184_3,,,3@x.no,,,Eva,Eva,Eva,,suspended,true\n"
)


def users(only: set[str] | None) -> set[str]:
    found = things_of(institution(people={"sync": True}), USERS.encode(), only)
    return {user for roster in found if isinstance(roster, Roster) for user in roster.members}


def test_a_report_is_taken_whole_unless_it_is_said_who_matters() -> None:
    assert users(None) == {"FS_184_1", "FS_184_2", "FS_184_3"}


def test_who_matters_is_taken_and_one_more_of_ours_to_tell_that_users_are_listed() -> None:
    assert users({"FS_184_3"}) == {"FS_184_1", "FS_184_3"}
    assert users({"FS_184_7", "OTHER_9"}) == {"FS_184_1"}
