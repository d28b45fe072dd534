from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
import time_machine
import yaml
from cryptography.fernet import Fernet

from rosterflow.domain.coursekey.college import College
from rosterflow.settings import load_college, load_colleges, load_institutions
from tests.cli.conftest import Shell
from tests.conftest import REPOSITORY
from tests.domain.coursekey.builders import raw_college
from tests.household import yaml_of

KEYS = ("first-key|with|pipes", "second-key")
PASTE = f"""
Parameter | Description |
COURSEKEY_API_NAME | CC_CKY |
COURSEKEY_AWARDED_TIME_ATTENDANCE_NAMES | Flexible Lab|Blended Capstone |
COURSEKEY_AWARDED_TIME_MINUTES | 3600 |
COURSEKEY_BASE_URL | api.thecoursekey.com |
COURSEKEY_COURSE_NAME_FORMAT | @COURSE_NUMBER@ - @COURSE_SECTION@: @COURSE_TITLE@ in @SEMESTER_DESCRIPTION@ |
COURSEKEY_COURSE_OWNER | registrar@college.example |
COURSEKEY_CUTOVER_SEMESTER | 202610 |
COURSEKEY_EMAIL | lms@college.example, registrar@college.example |
COURSEKEY_TIMEZONE | US/Eastern |
COURSEKEY_SET_USER_PASSWORD | |

CRSKEYAUTH 1-1 {KEYS[0]}||US/Eastern
CRSKEYAUTH 1-2 0042||MAIN
CRSKEYAUTH 1-3 {KEYS[0]}||US/Central
CRSKEYAUTH 1-4 548157||NORTH
CRSKEYAUTH 2-1 {KEYS[1]}||
CRSKEYAUTH 2-2 612001||WEST

RCCONO
MAIN  Main Campus
NORTH  North Campus
WEST  West Campus

RGENCD
FLX  4:Flexible Lab  Come when you can
BLC  4:Blended Capstone  Half and half
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "institutions"
    monkeypatch.setenv("ROSTERFLOW_INSTITUTIONS", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


def paste(folder: Path, text: str = PASTE) -> str:
    (folder.parent / "paste.txt").write_text(text, encoding="utf-8")
    return "paste.txt"


# -- import-settings ---------------------------------------------------------------------------------------------------


def test_what_was_copied_becomes_a_settings_file_that_can_be_used(shell: Shell, folder: Path) -> None:
    told = shell("coursekey", "import-settings", paste(folder), "-i", "eastfield", "--name", "Eastfield College")

    assert (shell.code, shell.error) == (0, "")
    assert told == (
        f"Settings: {folder}/eastfield.yaml (10 parameters).\n"
        "Auth keys: eastfield-connections.json (2 connections). Now, and then delete that file and what was copied:\n"
        "  airflow connections import eastfield-connections.json\n"
        "Campus Cafe: make the connection campus_cafe_eastfield, or set campus_cafe.folder in the file.\n"
    )
    ours = load_college(folder / "eastfield.yaml")
    assert (ours.key, ours.name) == ("eastfield", "Eastfield College")
    assert ours.coursekey.awarded_time_attendance_names == ("Flexible Lab", "Blended Capstone")
    assert ours.coursekey.set_user_password is False
    assert [(pair.alias, pair.connection, pair.timezone, pair.school, pair.site) for pair in ours.crskeyauth] == [
        ("1-1", "coursekey_eastfield_1", "US/Eastern", "0042", "MAIN"),
        ("1-2", "coursekey_eastfield_1", "US/Central", "548157", "NORTH"),
        ("2-1", "coursekey_eastfield_2", None, "612001", "WEST"),
    ]
    assert ours.rccono == {"MAIN": "Main Campus", "NORTH": "North Campus", "WEST": "West Campus"}
    assert ours.rgencd == {"FLX": "4:Flexible Lab", "BLC": "4:Blended Capstone"}


def test_parameters_are_written_under_their_own_names_and_as_they_were(shell: Shell, folder: Path) -> None:
    shell("coursekey", "import-settings", paste(folder))

    written = yaml.safe_load((folder / "college.yaml").read_text(encoding="utf-8"))
    assert written["coursekey"]["COURSEKEY_AWARDED_TIME_ATTENDANCE_NAMES"] == "Flexible Lab|Blended Capstone"
    assert written["coursekey"]["COURSEKEY_CUTOVER_SEMESTER"] == "202610"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_was_copied_may_be_saved_as_windows_does(shell: Shell, folder: Path, encoding: str) -> None:
    (folder.parent / "paste.txt").write_bytes(PASTE.replace("\n", "\r\n").encode(encoding))

    shell("coursekey", "import-settings", "paste.txt")

    assert (shell.code, shell.error) == (0, "")
    assert load_college(folder / "college.yaml").coursekey.course_owner


def test_a_file_in_another_encoding_is_told_how_to_be_saved(shell: Shell, folder: Path) -> None:
    (folder.parent / "paste.txt").write_bytes(b"COURSEKEY_COURSE_TITLE_FORMAT\tCaf\xe9")

    shell("coursekey", "import-settings", "paste.txt")

    assert shell.code == 1
    assert "paste.txt is neither UTF-8 nor UTF-16 with its mark; save it as UTF-8." in shell.error


def test_auth_keys_go_into_a_file_that_only_its_owner_reads(shell: Shell, folder: Path) -> None:
    told = shell("coursekey", "import-settings", paste(folder), "--connections", "keys.json")

    keys = folder.parent / "keys.json"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert json.loads(keys.read_text(encoding="utf-8")) == {
        "coursekey_college_1": {
            "conn_type": "coursekey",
            "host": "https://api.thecoursekey.com",
            "password": KEYS[0],
            "extra": '{"school_id": "0042"}',
        },
        "coursekey_college_2": {
            "conn_type": "coursekey",
            "host": "https://api.thecoursekey.com",
            "password": KEYS[1],
            "extra": '{"school_id": "612001"}',
        },
    }
    settings = (folder / "college.yaml").read_text(encoding="utf-8")
    assert [key for key in KEYS if key in told + settings] == []


@pytest.mark.airflow
def test_airflow_reads_that_file(shell: Shell, folder: Path) -> None:
    from airflow.secrets.local_filesystem import load_connections_dict

    shell("coursekey", "import-settings", paste(folder))

    read = load_connections_dict("college-connections.json")
    found = {name: (one.conn_type, one.password, one.extra_dejson["school_id"]) for name, one in read.items()}
    assert found == {
        "coursekey_college_1": ("coursekey", KEYS[0], "0042"),
        "coursekey_college_2": ("coursekey", KEYS[1], "612001"),
    }


def test_every_problem_of_a_paste_is_told_at_once_nothing_is_written_and_no_key_is_shown(
    shell: Shell, folder: Path
) -> None:
    text = (
        PASTE.replace("US/Eastern", "us/eastern").replace("612001||WEST", "612001|WEST").replace("COURSEKEY_EMAIL", "E")
    )

    told = shell("coursekey", "import-settings", paste(folder, text))

    assert (shell.code, told) == (1, "")
    assert [line for line in shell.error.splitlines() if line.startswith("- ")] == [
        (
            "- paste.txt: line 10: begins with none of COURSEKEY_…, CRSKEYAUTH, RCCONO, RGENCD, "
            "nor stands below one of these"
        ),
        "- paste.txt: CRSKEYAUTH sequence 2, value 2: has no double pipe (school ID||course site)",
        "- paste.txt: coursekey.COURSEKEY_EMAIL: is missing",
        "- paste.txt: coursekey.COURSEKEY_TIMEZONE: no time zone is called 'us/eastern'; write one like Europe/Oslo",
        "- paste.txt: crskeyauth.0.timezone: no time zone is called 'us/eastern'; write one like Europe/Oslo",
    ]
    assert [key for key in KEYS if key in shell.error] == []
    assert [path.name for path in folder.parent.iterdir()] == ["paste.txt"]


@pytest.mark.parametrize("there", ["institutions/college.yaml", "college-connections.json"])
def test_nothing_that_is_there_is_overwritten(shell: Shell, folder: Path, there: str) -> None:
    folder.mkdir()
    (folder.parent / there).write_text("mine", encoding="utf-8")

    shell("coursekey", "import-settings", paste(folder))

    assert shell.code == 1
    assert "is there already; move it away first." in shell.error
    written = sorted(path.name for path in folder.parent.rglob("college*"))
    assert written == [Path(there).name]
    assert (folder.parent / there).read_text(encoding="utf-8") == "mine"


# -- check -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def imported(folder: Path) -> Path:
    folder.mkdir()
    (folder / "college.yaml").write_text(yaml.safe_dump(raw_college(), sort_keys=False), encoding="utf-8")
    return folder


def test_check_shows_each_setting_in_effect_with_its_meaning(shell: Shell, imported: Path) -> None:
    told = shell.json("coursekey", "check")

    shown = {row["setting"]: row["value"] for row in told["settings"]}
    assert shown == {
        "COURSEKEY_API_NAME": "CC_CKY",
        "COURSEKEY_AUTO_QUEUE_ITEMS": "Y",
        "COURSEKEY_AWARDED_TIME_ATTENDANCE_NAMES": "",
        "COURSEKEY_AWARDED_TIME_MINUTES": "",
        "COURSEKEY_BASE_URL": "https://api.thecoursekey.com",
        "COURSEKEY_COURSE_ADMINS": "",
        "COURSEKEY_COURSE_DAYS_ACTIVE_BEF_BEGIN": "21",
        "COURSEKEY_COURSE_NAME_FORMAT": "@SEMESTER@-@COURSE_NUMBER@-@COURSE_SECTION@",
        "COURSEKEY_COURSE_OWNER": "registrar@college.example",
        "COURSEKEY_COURSE_TITLE_FORMAT": "@COURSE_TITLE@",
        "COURSEKEY_CUTOVER_SEMESTER": "202610",
        "COURSEKEY_EMAIL": "lms@college.example",
        "COURSEKEY_ENROLLMENT_DAYS_ACTIVE_AFT_END": "14",
        "COURSEKEY_ENROLLMENT_DAYS_ACTIVE_BEF_BEGIN": "14",
        "COURSEKEY_EXPORT_BASE_URL": "https://services.thecoursekey.com",
        "COURSEKEY_EXPORT_TIME_ATTENDED_DAYS_PRIOR": "7",
        "COURSEKEY_INSTRUCTOR_ADD_ONLY": "Y",
        "COURSEKEY_NO_ATTENDANCE_SESSION_SYNC": "",
        "COURSEKEY_REMOVE_FROM_QUEUE_DAYS": "30",
        "COURSEKEY_SEND_EMAIL_TO_NEW_USER": "Y",
        "COURSEKEY_SET_USER_PASSWORD": "N",
        "COURSEKEY_TIMEZONE": "US/Eastern",
        "COURSEKEY_USE_LMS_EXCLUDE_FLAG": "Y",
        "awarded_time_unit": "",
        "not_integrated_sites": "AWAY",
        "batch": "100",
        "max_batches": "100",
        "max_attempts": "8",
        "schedule": "*/15 * * * *",
        "silence_hours": "30",
    }
    assert [row["setting"] for row in told["settings"] if not row["meaning"]] == []


@time_machine.travel("2026-03-08T05:30:00+00:00", tick=False)
def test_check_shows_sites_names_and_todays_windows_in_each_zone(shell: Shell, imported: Path) -> None:
    told = shell.json("coursekey", "check")

    assert told["schools"][:2] == [
        {
            "site": "MAIN",
            "description": "Main Campus",
            "school": "548156",
            "auth_key": "1-1",
            "connection": "coursekey_1",
            "zone": "US/Eastern (America/New_York, UTC-0500)",
        },
        {
            "site": "WEST",
            "description": "West Campus",
            "school": "612001",
            "auth_key": "1-2",
            "connection": "coursekey_2",
            "zone": "US/Arizona (America/Phoenix, UTC-0700)",
        },
    ]
    assert [row["attendance_name"] for row in told["attendance_names"]] == [
        "Lecture",
        "Flexible Lab",
        "Blended Capstone",
    ]
    assert [tuple(row.values()) for row in told["today"]] == [
        ("US/Eastern", "2026-03-08", "courses", "2026-03-29", "2026-02-22"),
        ("US/Eastern", "2026-03-08", "enrollments", "2026-03-22", "2026-02-22"),
        ("US/Eastern", "2026-03-08", "attendance", "2026-03-08", "2026-03-01"),
        ("US/Arizona", "2026-03-07", "courses", "2026-03-28", "2026-02-21"),
        ("US/Arizona", "2026-03-07", "enrollments", "2026-03-21", "2026-02-21"),
        ("US/Arizona", "2026-03-07", "attendance", "2026-03-07", "2026-02-28"),
    ]
    assert told["warnings"] == []


def test_check_is_a_table_for_people_with_what_is_likely_not_meant(shell: Shell, imported: Path) -> None:
    raw = raw_college(SEND_EMAIL_TO_NEW_USER="N")
    (imported / "college.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")

    told = shell("coursekey", "check")

    assert shell.code == 0
    assert "COURSEKEY_CUTOVER_SEMESTER" in told
    assert "First semester that is sent, six digits." in told
    assert "likely not meant COURSEKEY_SEND_EMAIL_TO_NEW_USER and COURSEKEY_SET_USER_PASSWORD are both N" in told


def test_a_command_about_the_other_kind_of_institution_says_so(shell: Shell, imported: Path) -> None:
    (imported / "fjordvik.yaml").write_text(yaml_of("fjordvik"), encoding="utf-8")

    shell("coursekey", "check", "-i", "fjordvik")
    assert shell.error == "'fjordvik' sends to Canvas, not to CourseKey.\n"

    shell("coursekey", "check", "-i", "sundnes")
    assert shell.error == f"There is no institution 'sundnes' in {imported}.\n"

    shell("run", "list", "-i", "college")
    assert shell.error == "'college' sends to CourseKey, not to Canvas; see 'python -m rosterflow coursekey'.\n"


# -- the files of both kinds in one folder -----------------------------------------------------------------------------


def test_each_loader_takes_its_own_files_broken_ones_too(folder: Path) -> None:
    folder.mkdir()
    files = {
        "fjordvik": yaml_of("fjordvik"),
        "oslo": "key: oslo\nfs: [",
        "college": yaml.safe_dump(raw_college()),
        "westfield": "key: westfield\ncoursekey: [",
        "northfield": yaml.safe_dump(raw_college(key="northfield", TIMEZONE="us/eastern")),
    }
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")

    institutions, broken_institutions = load_institutions(folder)
    colleges, broken_colleges = load_colleges(folder)

    assert [one.key for one in institutions] == ["fjordvik"]
    assert [one.key for one in broken_institutions] == ["oslo"]
    assert [one.key for one in colleges] == ["college"]
    assert [one.key for one in broken_colleges] == ["northfield", "westfield"]
    assert "- northfield.yaml: coursekey.COURSEKEY_TIMEZONE: no time zone" in broken_colleges[0].message


def test_a_college_that_is_also_an_institution_is_told_what_it_cannot_be(folder: Path) -> None:
    folder.mkdir()
    both = raw_college(fs={"connection": "fs_test"}, campus_cafe={"connection": "a", "folder": "/data"})
    (folder / "college.yaml").write_text(yaml.safe_dump(both), encoding="utf-8")

    [broken] = load_colleges(folder)[1]

    assert broken.message.splitlines()[1:3] == [
        "- college.yaml: campus_cafe: needs either connection or folder",
        "- college.yaml: fs: no such setting",
    ]


def test_the_demos_college_can_be_used() -> None:
    ours = load_college(REPOSITORY / "include/institutions/college.yaml")

    assert isinstance(ours, College)
    assert [school.school_id for site in ours.rccono if (school := ours.school_of(site))] == [
        "548156",
        "548157",
        "612001",
    ]


def test_check_of_the_installation_names_colleges_too(
    shell: Shell, imported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROSTERFLOW_DATABASE_URL", f"sqlite:///{imported.parent}/store.db")
    monkeypatch.setenv("ROSTERFLOW_STORAGE", f"file://{imported.parent}/blobs")
    monkeypatch.setenv("ROSTERFLOW_PAGE_KEYS", Fernet.generate_key().decode())

    [told] = [one for one in shell.json("check") if one["subject"].startswith("settings")]

    assert told == {
        "subject": "settings college",
        "is_good": True,
        "message": "An Invented College: Campus Cafe by campus_cafe_college, CourseKey by coursekey_1, coursekey_2",
    }
