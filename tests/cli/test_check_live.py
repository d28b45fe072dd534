from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from rosterflow.cli.live import check_live, check_pool, pools_of_airflow
from rosterflow.domain.institution import Institution
from sandbox.canvas.http import TOKENS, Token
from sandbox.serving import RunningSandbox
from tests.household import college

RIGHT = {"pool": "canvas_canvas_test", "slots": "1", "include_deferred": "True"}
MEND = "[pool-missing] Create the named pool with one slot and 'include deferred' under Admin > Pools."


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with RunningSandbox() as running:
        yield running


@pytest.fixture
def check(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, tuple[bool, str]]]:
    """Checks an institution against the sandbox, with pools as given instead of Airflow's."""
    fs = {"conn_type": "fs_graphql", "host": f"{sandbox.url}/fs/graphql", "login": "sandbox", "password": "sandbox"}
    canvas = {"conn_type": "canvas", "host": f"{sandbox.url}/canvas", "password": "sandbox-canvas-token"}
    monkeypatch.setenv("AIRFLOW_CONN_FS_TEST", json.dumps({**fs, "extra": {"institution_number": "184"}}))
    monkeypatch.setenv("AIRFLOW_CONN_CANVAS_TEST", json.dumps(canvas))
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "")
    monkeypatch.setattr("rosterflow.cli.live.pools_of_airflow", lambda: {"canvas_canvas_test": RIGHT})

    def findings(institution: Institution) -> dict[str, tuple[bool, str]]:
        return {one.subject: (one.is_good, one.message) for one in check_live(institution)}

    return findings


def at_the_sandbox(**settings: Any) -> Institution:
    canvas = {"connection": "canvas_test", "account": "FSDEMO"}
    return college(**{"number": "184", "canvas": canvas, **settings})


def test_all_is_well_with_the_sandbox(check: Callable[..., Any]) -> None:
    found = check(at_the_sandbox())

    assert {subject: is_good for subject, (is_good, _) in found.items()} == dict.fromkeys(
        ("fjordvik: FS", "fjordvik: Canvas", "fjordvik: account", "fjordvik: roles", "fjordvik: pool"), True
    )


def test_an_account_that_is_not_in_canvas_is_named(check: Callable[..., Any]) -> None:
    found = check(at_the_sandbox(canvas={"connection": "canvas_test", "account": "NOWHERE"}))

    assert found["fjordvik: account"] == (False, "NOWHERE is not in Canvas")


def test_a_role_that_canvas_does_not_have_is_named(check: Callable[..., Any]) -> None:
    found = check(at_the_sandbox(roles={"STUDENT": "StudentEnrollment", "SENSOR": "Sensor på besøk"}))

    assert found["fjordvik: roles"] == (False, "Canvas has no role Sensor på besøk")


def roles_in_canvas(sandbox: RunningSandbox, account: str, base: str, *names: str) -> None:
    where = f"{sandbox.url}/canvas/api/v1/accounts/sis_account_id:{account}/roles"
    for name in names:
        form = {"label": name, "base_role_type": base}
        httpx.post(where, headers={"Authorization": "Bearer sandbox-canvas-token"}, data=form).raise_for_status()


def test_a_role_may_be_the_institutions_own_and_must_be_of_the_right_kind(
    check: Callable[..., Any], sandbox: RunningSandbox
) -> None:
    roles_in_canvas(sandbox, "FSDEMO", "StudentEnrollment", "Eksamensmeldt")
    roles_in_canvas(sandbox, "FSDEMO", "AccountMembership", "Superbruker")
    right = {"roles": {"EKS": "Eksamensmeldt"}, "people": {"account_roles": {"SUPER": "Superbruker"}}}
    wrong = {"roles": {"EKS": "Superbruker"}, "people": {"account_roles": {"SUPER": "Eksamensmeldt"}}}

    told = [check(at_the_sandbox(**settings))["fjordvik: roles"] for settings in (right, wrong)]

    assert told == [
        (True, "2 custom role(s), all in Canvas"),
        (False, "Eksamensmeldt is a role for sections, not accounts; Superbruker is a role for accounts, not sections"),
    ]


@pytest.mark.parametrize(
    ("permissions", "told"),
    [
        (frozenset[str](), (True, "the token sees who administers accounts")),
        ({"manage_account_memberships"}, (False, "the token lacks the permission manage_account_memberships")),
    ],
)
def test_a_token_must_see_who_administers_accounts_where_some_are_given_administrators(
    check: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, permissions: set[str], told: tuple[bool, str]
) -> None:
    token = TOKENS["sandbox-canvas-token"]
    monkeypatch.setitem(TOKENS, token.value, Token(token.value, token.permissions - permissions))

    found = check(at_the_sandbox(people={"account_roles": {"ADMIN": "AccountAdmin"}}))

    assert found["fjordvik: administrators"] == told


def test_a_role_that_somebody_deactivated_is_not_there(check: Callable[..., Any], sandbox: RunningSandbox) -> None:
    roles_in_canvas(sandbox, "FSDEMO", "TaEnrollment", "Hjelper")
    canvas = sandbox.world.canvas
    (role,) = canvas.roles.where("name", "Hjelper")
    where = f"{sandbox.url}/canvas/api/v1/accounts/{role.account_id}/roles/{role.id}"
    httpx.delete(where, headers={"Authorization": "Bearer sandbox-canvas-token"}).raise_for_status()

    assert check(at_the_sandbox(roles={"HJ": "Hjelper"}))["fjordvik: roles"] == (False, "Canvas has no role Hjelper")


@pytest.mark.parametrize(("system", "name"), [("FS", "AIRFLOW_CONN_FS_TEST"), ("Canvas", "AIRFLOW_CONN_CANVAS_TEST")])
def test_a_missing_connection_is_named_and_the_others_are_still_checked(
    check: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, system: str, name: str
) -> None:
    monkeypatch.delenv(name)

    found = check(at_the_sandbox())

    is_good, told = found[f"fjordvik: {system}"]
    assert not is_good
    assert f"{system.lower()}_test" in told
    assert found["fjordvik: pool"][0]


def test_a_wrong_password_is_told_in_a_sentence(check: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    fs = {"conn_type": "fs_graphql", "host": "http://127.0.0.1:1/", "login": "sandbox", "password": "hemmelig"}
    monkeypatch.setenv("AIRFLOW_CONN_FS_TEST", json.dumps(fs))

    is_good, told = check(at_the_sandbox())["fjordvik: FS"]

    assert not is_good
    assert "hemmelig" not in told


@pytest.mark.parametrize(
    ("pools", "is_good", "told"),
    [
        ({"canvas_canvas_test": RIGHT}, True, "canvas_canvas_test has one slot, deferred tasks included"),
        ({"canvas_canvas_test": {**RIGHT, "slots": 1, "include_deferred": True}}, True, "canvas_canvas_test has one"),
        ({}, False, f"Airflow has no pool 'canvas_canvas_test'. {MEND}"),
        (
            {"canvas_canvas_test": {**RIGHT, "slots": "4"}},
            False,
            f"The pool 'canvas_canvas_test' has 4 slot(s), deferred tasks included. {MEND}",
        ),
        (
            {"canvas_canvas_test": {**RIGHT, "include_deferred": "False"}},
            False,
            f"The pool 'canvas_canvas_test' has 1 slot(s), deferred tasks not included. {MEND}",
        ),
        (None, True, "canvas_canvas_test was not looked at"),
    ],
)
def test_the_pool_must_have_one_slot_and_include_deferred_tasks(pools: Any, is_good: bool, told: str) -> None:
    finding = check_pool(college(), pools)

    assert finding.is_good is is_good
    assert finding.message.startswith(told)


@pytest.mark.airflow
def test_the_pools_are_airflow_s_own() -> None:
    pools = pools_of_airflow()

    assert pools is not None
    assert {"default_pool"} <= set(pools)
    assert {"slots", "include_deferred"} <= set(pools["default_pool"])


def test_without_airflow_s_database_there_are_no_pools_to_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "sqlite:////no/such/folder/airflow.db")

    assert pools_of_airflow() is None
