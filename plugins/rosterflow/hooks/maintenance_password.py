"""The maintenance password: what a new account begins with when its owner has no password in Campus Cafe.

It is the password of an Airflow connection, which may be of any type, and is kept nowhere else. Source: the source
document, COURSEKEY_SET_USER_PASSWORD.
"""

from __future__ import annotations

from collections.abc import Callable

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from rosterflow.domain.coursekey.college import College
from rosterflow.domain.errors import Code, FatalError

Password = Callable[[str], str | None]
"""The password a new account of a person is to begin with."""


def with_maintenance_password(college: College, of_campus_cafe: Password) -> Password:
    """Campus Cafe's password of a person, or the maintenance password when there is none.

    The connection is looked up at once, for Airflow does that outside event loops only; not at all when the college
    sets no passwords.

    :raises FatalError: ``connection-missing``, ``connection-invalid`` when it has no password.
    """
    name = college.maintenance_password_connection
    if name is None or not college.coursekey.set_user_password:
        return of_campus_cafe
    try:
        password = BaseHook.get_connection(name).password
    except AirflowNotFoundException:
        raise FatalError(Code.CONNECTION_MISSING, f"Airflow has no connection {name!r}.") from None
    if not password:
        raise FatalError(Code.CONNECTION_INVALID, f"Connection {name}: the maintenance password is missing.")
    return lambda person: of_campus_cafe(person) or password
