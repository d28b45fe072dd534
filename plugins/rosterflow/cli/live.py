"""Checks that ask FS, Canvas and Airflow itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from rosterflow.domain.errors import Code, FatalError, RosterflowError
from rosterflow.domain.institution import Institution
from rosterflow.sync.checking import Finding, bad

AIRFLOW_SECONDS = 60
ACCOUNT_MEMBERSHIP = "AccountMembership"
"""The base type of the roles of accounts (Canvas contract §10.6)."""
Check = Callable[[Institution], Iterator[Finding]]
Pool = Mapping[str, object]


def check_live(institution: Institution) -> Iterator[Finding]:
    """Press the Test button of both connections, and look for the account, the roles and the pool."""
    # Outside a task Airflow looks in its database for connections only when told that it may, as its own command does.
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
    yield from _asked(institution, "FS", _check_fs)
    yield from _asked(institution, "Canvas", _check_canvas)
    yield check_pool(institution, pools_of_airflow())


def _asked(institution: Institution, system: str, check: Check) -> Iterator[Finding]:
    from airflow.sdk.exceptions import AirflowNotFoundException  # Airflow takes seconds to import; most commands do not

    connection = institution.fs.connection if system == "FS" else institution.canvas.connection
    try:
        yield from check(institution)
    except RosterflowError as error:
        yield bad(f"{institution.key}: {system}", error)
    except AirflowNotFoundException:
        missing = FatalError(Code.CONNECTION_MISSING, f"Airflow has no connection {connection!r}.")
        yield bad(f"{institution.key}: {system}", missing)


def _check_fs(institution: Institution) -> Iterator[Finding]:
    from rosterflow.hooks.fs import FSGraphQLHook

    with FSGraphQLHook(
        institution.fs.connection, settings=institution.fs, institution=institution.key, number=institution.number
    ) as hook:
        yield Finding(f"{institution.key}: FS", *hook.test_connection())


def _check_canvas(institution: Institution) -> Iterator[Finding]:
    from rosterflow.hooks.canvas import SEES_ADMINISTRATORS, CanvasHook

    hook = CanvasHook(institution.canvas.connection)
    try:
        works, told = hook.test_connection()
        yield Finding(f"{institution.key}: Canvas", works, told)
        if not works:
            return
        account = institution.canvas.account
        there = hook.account_exists(account)
        yield Finding(f"{institution.key}: account", there, f"{account} {'is' if there else 'is not'} in Canvas")
        roles = hook.roles(account) if institution.custom_roles and there else {}
        wrong = "; ".join(_wrong_roles(institution, roles))
        said = wrong or f"{len(institution.custom_roles)} custom role(s), all in Canvas"
        yield Finding(f"{institution.key}: roles", not wrong, said)
        if institution.people.sync and institution.people.account_roles:
            lacks = hook.missing_permissions((SEES_ADMINISTRATORS,))
            told = f"the token lacks the permission {lacks[0]}" if lacks else "the token sees who administers accounts"
            yield Finding(f"{institution.key}: administrators", not lacks, told)
    finally:
        hook.close()


def _wrong_roles(institution: Institution, roles: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the custom roles that the settings name.

    :param roles: those of the institution's own account and the accounts above, with their base types.
    """
    custom, of_accounts = institution.custom_roles, set(institution.people.account_roles.values())
    if missing := sorted(custom - roles.keys()):
        yield f"Canvas has no role {', '.join(missing)}"
    for name in sorted(custom & roles.keys()):
        if (roles[name] == ACCOUNT_MEMBERSHIP) != (name in of_accounts):
            is_for = "accounts, not sections" if roles[name] == ACCOUNT_MEMBERSHIP else "sections, not accounts"
            yield f"{name} is a role for {is_for}"


def check_roots(institutions: Iterable[Institution]) -> Iterator[Finding]:
    """Whether institutions in one Canvas write in turn: that takes one and the same ``canvas.root``."""
    from airflow.sdk.exceptions import AirflowNotFoundException

    from rosterflow.hooks.canvas import CanvasHook

    living: dict[str, list[Institution]] = defaultdict(list)
    for one in institutions:
        try:
            with CanvasHook(one.canvas.connection, attempts=1) as hook:
                living[hook.identity()].append(one)
        except (RosterflowError, AirflowNotFoundException):
            continue  # its own checks tell
    for together in living.values():
        keys = " and ".join(one.key for one in together)
        if len({one.canvas.pool for one in together}) > 1:
            told = f"{keys} are in one Canvas; give them one name under canvas.root, or they write at the same time."
            yield bad(f"{together[0].key}: root", FatalError(Code.SETTINGS_INVALID, told))


def pools_of_airflow() -> dict[str, Pool] | None:
    """The pools of Airflow by name; ``None`` when its database cannot be reached from here."""
    asked = subprocess.run(
        [sys.executable, "-m", "airflow", "pools", "list", "--output", "json"],
        capture_output=True,
        text=True,
        timeout=AIRFLOW_SECONDS,
        check=False,
    )
    listed = asked.stdout.find("[{")  # log lines may come before it
    if asked.returncode or listed < 0:
        return None
    return {str(pool["pool"]): pool for pool in json.loads(asked.stdout[listed:])}


def check_pool(institution: Institution, pools: Mapping[str, Pool] | None) -> Finding:
    """Whether the pool that lets one task at a time write to the Canvas root account is there, and right."""
    subject, name = f"{institution.key}: pool", institution.canvas.pool
    if pools is None:
        return Finding(subject, True, f"{name} was not looked at: Airflow's database cannot be reached from here")
    if name not in pools:
        return bad(subject, FatalError(Code.POOL_MISSING, f"Airflow has no pool {name!r}."))
    slots, deferred = str(pools[name]["slots"]), str(pools[name]["include_deferred"]).lower() == "true"
    if (slots, deferred) != ("1", True):
        told = f"The pool {name!r} has {slots} slot(s), deferred tasks {'' if deferred else 'not '}included."
        return bad(subject, FatalError(Code.POOL_MISSING, told))
    return Finding(subject, True, f"{name} has one slot, deferred tasks included")
