from __future__ import annotations

from rosterflow.domain.mapping.people_ledger import Step
from rosterflow.domain.model import Kind, SourceKind
from rosterflow.domain.rosters import Place
from tests.domain.fs_builders import FAKULTET, INF, institution, snapshot, ue
from tests.domain.people_builders import (
    STUDENT,
    TEACHER,
    UA1,
    UE,
    explained,
    person,
    right,
    role,
)

SENT = Step(SourceKind.BRUKER, "user-sent", True)


def test_each_rule_of_a_person_is_told_with_the_place_to_which_it_leads() -> None:
    found = explained("1", person("1"), person("2"), right("1", "G1"), right("2"), role("1"))

    at = "INF 1 2026 HØST 1"
    assert found == [
        SENT,
        Step(
            SourceKind.EMNESTUDIERETT, "student-right", True, (("at", at), ("role", STUDENT)), Place(Kind.SECTION, UE)
        ),
        Step(
            SourceKind.EMNESTUDIERETT, "student-party", True, (("at", f"{at} G1"), ("role", STUDENT)),
            Place(Kind.SECTION, UA1),
        ),
        Step(SourceKind.PERSONROLLE, "role", True, (("at", at), ("role", TEACHER)), Place(Kind.SECTION, UE)),
    ]  # fmt: skip


def test_who_is_not_sent_is_told_the_rule_that_stopped_them() -> None:
    assert explained("1", person("1", feide_bruker=None), person("2"), right("1")) == [
        Step(SourceKind.BRUKER, "user-without-login", False)
    ]
    assert explained("1", person("1", er_dod=True), right("1")) == [Step(SourceKind.BRUKER, "user-dead", False)]


def test_who_shares_a_login_with_somebody_is_told_although_only_one_person_is_asked_about() -> None:
    (step,) = explained("1", person("1"), person("2", "P1@fjord.example"), person("3"), right("1"))

    assert (step.rule, step.facts) == ("user-login-shared", (("with", "2"),))


def test_a_row_that_lets_its_person_not_in_is_told_with_its_facts() -> None:
    found = explained("1", person("1"), right("1", kan_overfores=False), right("2"))

    assert found == [
        SENT,
        Step(SourceKind.EMNESTUDIERETT, "row-reserved", False, (("at", "INF 1 2026 HØST 1"),)),
    ]


def test_a_place_that_is_not_sent_is_told_with_the_rule_of_the_structure() -> None:
    structure = snapshot(FAKULTET, INF, ue("INF", skal_eksporteres_til_lms=False))

    found = explained("1", person("1"), right("1"), right("2"), structure=structure)

    facts = (("because", "ue-not-exported"), ("people", "1"))
    assert found == [SENT, Step(SourceKind.EMNESTUDIERETT, "place-not-sent", False, facts)]


def test_who_is_not_among_the_users_is_told_so() -> None:
    assert explained("1", person("2"), right("1")) == [Step(SourceKind.BRUKER, "user-not-read", False)]


def test_a_row_that_arrives_twice_is_told_once() -> None:
    assert explained("1", person("1"), right("1"), right("1")) == explained("1", person("1"), right("1"))


def test_rows_of_others_are_told_to_nobody() -> None:
    found = explained("1", person("1"), person("2", feide_bruker=None), right("2"), role("2", code="X", ims=None))

    assert found == [SENT]


def test_of_nobody_there_is_nothing_to_tell() -> None:
    assert explained("9", person("1"), right("1"), inst=institution()) == []
