"""What the Test button of a connection says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rosterflow.domain.errors import REMEDIES, Code
from rosterflow.hooks.fs import FSGraphQLHook
from sandbox.faults import Fault
from sandbox.serving import RunningSandbox
from tests.hooks.fs_connections import Connections

AUTUMN = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Connections:
    return Connections(monkeypatch)


def verdict_on(connections: Connections, host: str, now: datetime | None = None, **extra: Any) -> tuple[bool, str]:
    connections.add(host, extra, login="sandbox", password="sandbox")
    return FSGraphQLHook("fs_test", now=lambda: now or datetime.now(UTC)).test_connection()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with RunningSandbox() as running:
        yield running


@pytest.mark.parametrize(
    ("dialect", "path", "people"),
    [("2026", "/fs/graphql", " Every read of people works, too."), ("2023", "/fs/2023/graphql", "")],
)
def test_the_test_button_tries_every_read(
    dialect: str, path: str, people: str, sandbox: RunningSandbox, connections: Connections
) -> None:
    verdict = verdict_on(connections, f"{sandbox.url}{path}", dialect=dialect, institution_number="184")

    assert verdict == (True, f"Connected to FS. Every read of the study structure works.{people}")


def test_the_test_button_says_which_reads_of_people_are_refused_and_that_the_structure_works(
    sandbox: RunningSandbox, connections: Connections
) -> None:
    for read in ("emneStudieretter", "kullroller"):
        sandbox.world.faults.add(Fault("fs", "null_list", count=None, match=read))

    verdict = verdict_on(connections, f"{sandbox.url}/fs/graphql", institution_number="184")

    sandbox.world.faults.clear()
    assert verdict[0]
    assert verdict[1] == (
        "Connected to FS. Every read of the study structure works. "
        "Not possible of people: emne_studieretter, kullroller (emne_studieretter, page 1: nodes is null)."
    )


def test_the_test_button_says_when_nobody_is_visible(sandbox: RunningSandbox, connections: Connections) -> None:
    sandbox.world.faults.add(Fault("fs", "null_node", count=None, match="brukere brukere"))

    _, words = verdict_on(connections, f"{sandbox.url}/fs/graphql", institution_number="184")

    sandbox.world.faults.clear()
    assert words.endswith("works. FS names nobody in brukere: that takes PERSONDATA_LES1 for the API user.")


def test_the_test_button_says_which_right_is_missing_where_fs_names_nobody(
    sandbox: RunningSandbox, connections: Connections
) -> None:
    sandbox.world.faults.add(Fault("fs", "no_person_access", count=None, match="roller"))
    sandbox.world.faults.add(Fault("fs", "no_person_access", count=None, match="klassemedlemskap"))

    works, words = verdict_on(connections, f"{sandbox.url}/fs/graphql", AUTUMN, institution_number="184")

    sandbox.world.faults.clear()
    assert works
    teaching = "emneroller, undervisningsenhetsroller, undervisningsaktivitetsroller"
    programmes = "studieprogramroller, kullroller, klasseroller"
    told = f"FS names nobody in klassemedlemskap, {teaching}, {programmes}: that takes PERSONROLLE_LES1 and "
    assert f" {told}STUDENTDATA_LES1 for the API user." in words


def test_the_test_button_asks_for_the_institution_to_say_more(
    sandbox: RunningSandbox, connections: Connections
) -> None:
    assert verdict_on(connections, f"{sandbox.url}/fs/graphql") == (
        True,
        "Connected to FS. Give the institution's number in the connection to test what may be read.",
    )


def test_the_test_button_says_that_the_password_is_wrong(sandbox: RunningSandbox, connections: Connections) -> None:
    connections.add(f"{sandbox.url}/fs/graphql", login="sandbox", password="wrong")

    assert FSGraphQLHook("fs_test").test_connection() == (
        False,
        "Test: FS does not accept the user name and password (or key). " + REMEDIES[Code.UNAUTHORIZED],
    )


def test_the_test_button_names_the_reads_that_a_missing_feature_flag_forbids(
    sandbox: RunningSandbox, connections: Connections
) -> None:
    works, words = verdict_on(connections, f"{sandbox.url}/fs/graphql", institution_number="184", feature_flags="beta")

    assert not works
    assert words == (
        "Connected to FS. Not possible: "
        "terminer (terminer, page 1: FS does not accept the query at studiesemesterPeriode.); "
        "undervisning (undervisning, page 1: FS does not accept the query at terminer, terminnumre, sisteTermin.)."
    )


def test_the_test_button_says_when_nothing_of_the_institution_is_visible(
    sandbox: RunningSandbox, connections: Connections
) -> None:
    works, words = verdict_on(connections, f"{sandbox.url}/fs/graphql", institution_number="999")

    assert not works
    assert words == ("Connected to FS. Not possible: organisasjonsenheter (no unit of institution 999 is visible).")


def test_the_test_button_says_how_far_the_clocks_are_apart(sandbox: RunningSandbox, connections: Connections) -> None:
    ahead = verdict_on(connections, f"{sandbox.url}/fs/graphql", now=datetime.now(UTC) + timedelta(seconds=95))
    near = verdict_on(connections, f"{sandbox.url}/fs/graphql", now=datetime.now(UTC) + timedelta(seconds=50))

    assert ahead[0]
    assert ahead[1].rpartition("test what may be read. ")[2] in {
        f"This machine's clock is {seconds} s ahead of FS's." for seconds in (94, 95, 96)
    }
    assert "clock" not in near[1]
