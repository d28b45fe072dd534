from __future__ import annotations

import pytest

from rosterflow.wire.campus_cafe_paste import AuthPair, Pasted, auth_pairs, read_paste

WITH_PIPES = "Flexible Lab|Blended Capstone"
FORMAT = "@COURSE_NUMBER@ - @COURSE_SECTION@: @COURSE_TITLE@ in @SEMESTER_DESCRIPTION@"


@pytest.mark.parametrize(
    "line",
    [
        "COURSEKEY_{}\t{}",
        "COURSEKEY_{} \t {}",
        "COURSEKEY_{}\t{}\tWhat the page says about it",
        "COURSEKEY_{} | {} |",
        "COURSEKEY_{}|{}",
        "| COURSEKEY_{} | {} |",
        "  | COURSEKEY_{}   |   {}   |  ",
        "COURSEKEY_{}  {}",
        "COURSEKEY_{}        {}",
    ],
)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NO_ATTENDANCE_SESSION_SYNC", WITH_PIPES),
        ("NO_ATTENDANCE_SESSION_SYNC", "Flexible Lab | Blended Capstone"),
        ("COURSE_NAME_FORMAT", FORMAT),
        ("EMAIL", "lms@college.example, registrar@college.example"),
        ("BASE_URL", "https://api.thecoursekey.com"),
    ],
)
def test_a_parameter_is_taken_however_its_table_is_drawn_and_its_pipes_survive(
    line: str, name: str, value: str
) -> None:
    assert read_paste(line.format(name, value)) == Pasted({f"COURSEKEY_{name}": value})


@pytest.mark.parametrize(
    "line", ["COURSEKEY_COURSE_ADMINS", "COURSEKEY_COURSE_ADMINS\t", "| COURSEKEY_COURSE_ADMINS | |"]
)
def test_a_parameter_may_be_empty(line: str) -> None:
    assert read_paste(line) == Pasted({"COURSEKEY_COURSE_ADMINS": ""})


def test_an_empty_value_is_not_taken_for_the_column_after_it() -> None:
    assert read_paste("COURSEKEY_COURSE_ADMINS\t\tList of course admins") == Pasted({"COURSEKEY_COURSE_ADMINS": ""})


def test_the_head_of_a_table_its_rule_comments_and_empty_lines_say_nothing() -> None:
    lines = (
        "\ufeffParameter | Description |",
        "|---|:--|",
        "",
        "# from production",
        "COURSEKEY_API_NAME | CC_CKY |",
        "",
    )

    assert read_paste("\r\n".join(lines)) == Pasted({"COURSEKEY_API_NAME": "CC_CKY"})


@pytest.mark.parametrize("divider", [" | ", "   "])
def test_a_third_column_cannot_be_told_from_a_value_with_pipes_or_blanks(divider: str) -> None:
    pasted = read_paste(divider.join(("Parameter", "Value", "Description")))

    assert pasted.problems == ["line 1: only parameter and value can be told apart; leave the others out"]


def test_between_tabs_it_can() -> None:
    text = "Parameter\tValue\tDescription\nCOURSEKEY_API_NAME\tCC_CKY\tEnter CC_CKY"

    assert read_paste(text) == Pasted({"COURSEKEY_API_NAME": "CC_CKY"})


@pytest.mark.parametrize(
    "text",
    [
        "Parameter\tDescription\tValue\nCOURSEKEY_API_NAME\tWhose entries are ours\tCC_CKY",
        "Description\tParameter Code\tParameter Value\n\tCOURSEKEY_API_NAME\tCC_CKY",
        "Value\tParameter\nCC_CKY\tCOURSEKEY_API_NAME",
        "No\tParameter\tValue\r\n1\tCOURSEKEY_API_NAME\tCC_CKY\r\n",
    ],
)
def test_a_heading_between_tabs_says_which_column_is_which(text: str) -> None:
    assert read_paste(text) == Pasted({"COURSEKEY_API_NAME": "CC_CKY"})


def test_the_heads_of_the_other_tables_say_nothing_either() -> None:
    text = "RCCONO\nCode\tDescription\nMAIN\tMain Campus\nCRSKEYAUTH\nSeq #\tNumber\tValue\n1\t1\tKEY||US/Eastern"

    assert read_paste(text) == Pasted(controls={(1, 1): "KEY||US/Eastern"}, rccono={"MAIN": "Main Campus"})


@pytest.mark.parametrize(
    "lines",
    [
        "CRSKEYAUTH\t1\t1\tKEY||US/Eastern\nCRSKEYAUTH\t1\t2\t548156||MAIN",
        "CRSKEYAUTH 1-1 KEY||US/Eastern\nCRSKEYAUTH 1-2 548156||MAIN",
        "| CRSKEYAUTH | 1 | 1 | KEY||US/Eastern |\n| CRSKEYAUTH | 1 | 2 | 548156||MAIN |",
        "CRSKEYAUTH Seq 1, Parameter Value 1: KEY||US/Eastern\nCRSKEYAUTH Seq #1, Parameter Value 2 = 548156||MAIN",
        "CRSKEYAUTH\n1-1  KEY||US/Eastern\n1-2  548156||MAIN",
    ],
)
def test_a_control_record_is_taken_with_its_sequence_and_number(lines: str) -> None:
    pasted = read_paste(lines)

    assert pasted == Pasted(controls={(1, 1): "KEY||US/Eastern", (1, 2): "548156||MAIN"})
    assert auth_pairs(pasted.controls) == ([AuthPair("1-1", "KEY", "US/Eastern", "548156", "MAIN")], [])


def test_five_pairs_fit_into_a_sequence_and_more_into_the_next() -> None:
    controls = {(1, odd): f"KEY{odd}||US/Eastern" for odd in (1, 3, 5, 7, 9)}
    controls |= {(1, odd + 1): f"00{odd}||SITE{odd}" for odd in (1, 3, 5, 7, 9)}
    controls |= {(2, 1): "KEY1|| ", (2, 2): " 0042 || NORTH | EAST "}

    pairs, problems = auth_pairs(controls)

    assert problems == []
    assert [(pair.alias, pair.school) for pair in pairs] == [
        ("1-1", "001"),
        ("1-2", "003"),
        ("1-3", "005"),
        ("1-4", "007"),
        ("1-5", "009"),
        ("2-1", "0042"),
    ]
    assert pairs[-1] == AuthPair("2-1", "KEY1", "", "0042", "NORTH | EAST")


def test_a_key_may_hold_pipes_itself() -> None:
    pairs, problems = auth_pairs({(1, 1): "a|b||c||US/Eastern", (1, 2): "548156||MAIN||OLD"})

    assert (pairs, problems) == ([AuthPair("1-1", "a|b||c", "US/Eastern", "548156", "MAIN||OLD")], [])


@pytest.mark.parametrize(
    ("controls", "problems"),
    [
        ({(1, 1): "SECRET||US/Eastern"}, ["CRSKEYAUTH sequence 1, value 2: is missing (school ID||course site)"]),
        ({(1, 4): "548156||MAIN"}, ["CRSKEYAUTH sequence 1, value 3: is missing (auth key||time zone)"]),
        (
            {(1, 1): "SECRET|US/Eastern", (1, 2): "548156|MAIN"},
            [
                "CRSKEYAUTH sequence 1, value 1: has no double pipe (auth key||time zone)",
                "CRSKEYAUTH sequence 1, value 2: has no double pipe (school ID||course site)",
            ],
        ),
        (
            {(2, 1): "||US/Eastern", (2, 2): "548156||"},
            [
                "CRSKEYAUTH sequence 2, value 1: lacks a half (auth key||time zone)",
                "CRSKEYAUTH sequence 2, value 2: lacks a half (school ID||course site)",
            ],
        ),
    ],
)
def test_a_broken_pair_is_told_without_its_key_and_the_others_are_read(
    controls: dict[tuple[int, int], str], problems: list[str]
) -> None:
    whole = {(3, 1): "SECRET||US/Eastern", (3, 2): "548156||MAIN"}

    pairs, found = auth_pairs(controls | whole)

    assert found == problems
    assert [pair.alias for pair in pairs] == ["3-1"]
    assert "SECRET" not in f"{found} {pairs}"


@pytest.mark.parametrize(
    "lines",
    [
        "RCCONO\tMAIN\tMain Campus\nRGENCD\tINT\t4:Internship\tWhat it is",
        "RCCONO | MAIN | Main Campus |\nRGENCD | INT | 4:Internship | What it is |",
        "RCCONO:\nMAIN  Main Campus\nRGENCD\nINT  4:Internship  What it is",
        "RCCONO MAIN Main Campus\nRGENCD INT 4:Internship",
    ],
)
def test_sites_and_attendance_names_are_codes_with_a_description(lines: str) -> None:
    assert read_paste(lines) == Pasted(rccono={"MAIN": "Main Campus"}, rgencd={"INT": "4:Internship"})


def test_a_site_may_lack_its_description() -> None:
    assert read_paste("RCCONO\tMAIN") == Pasted(rccono={"MAIN": ""})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "SECRET||US/Eastern",
            "line 1: begins with none of COURSEKEY_…, CRSKEYAUTH, RCCONO, RGENCD, nor stands below one of these",
        ),
        ("COURSEKEY_EMAIL SECRET", "line 1: is no parameter and value, divided by a tab, a pipe or two blanks"),
        ("COURSEKEY_EMAIL  a\nCOURSEKEY_EMAIL  SECRET", "line 2: COURSEKEY_EMAIL is given twice"),
        ("CRSKEYAUTH SECRET||US/Eastern", "line 1: CRSKEYAUTH needs a sequence, a number from 1 to 10 and a value"),
        ("CRSKEYAUTH 1-11 SECRET||US/Eastern", "line 1: CRSKEYAUTH has parameter values 1 to 10, not 11"),
        ("CRSKEYAUTH 1-0 SECRET||US/Eastern", "line 1: CRSKEYAUTH has parameter values 1 to 10, not 0"),
        ("CRSKEYAUTH 1-1 a||b\nCRSKEYAUTH 1-1 SECRET||b", "line 2: CRSKEYAUTH sequence 1, value 1 is given twice"),
        ("RCCONO  A  a\nRCCONO  A  SECRET", "line 2: RCCONO has the code 'A' twice"),
    ],
)
def test_what_is_not_understood_is_told_by_its_line_and_never_by_its_value(text: str, problem: str) -> None:
    pasted = read_paste(text)

    assert pasted.problems == [problem]
    assert "SECRET" not in repr(pasted)
