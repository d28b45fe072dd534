"""Finding records the way Canvas's paths and parameters name them: Canvas ids, SIS prefixes and words.

Source: reference/canvas.md §9.1. Every function raises the 404 of `not_found` for what it cannot find.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from sandbox.canvas.http import Token, not_found
from sandbox.canvas.objects import SisRecord
from sandbox.canvas.state import DEFAULT_TERM_ID, ROOT_ACCOUNT_ID

if TYPE_CHECKING:
    from sandbox.canvas.objects import Account, Course, Enrollment, Pseudonym, Record, Role, Section, Term, User
    from sandbox.canvas.state import Canvas
    from sandbox.canvas.table import Table

R = TypeVar("R", bound="Record")
S = TypeVar("S", bound=SisRecord)

_HEX = re.compile(r"hex:(?P<prefix>\w+):(?P<bytes>(?:[0-9a-fA-F]{2})+)")


def find_account(canvas: Canvas, text: str) -> Account:
    """An account that is not deleted; `self` and `default` are the root account."""
    if text in ("self", "default"):
        return canvas.accounts[ROOT_ACCOUNT_ID]
    return _active(_find(canvas.accounts, "sis_account_id", text))


def find_course(canvas: Canvas, text: str, *, deleted: bool = False) -> Course:
    """A course; a deleted one only when `deleted` says so."""
    course = _find(canvas.courses, "sis_course_id", text)
    return course if deleted else _active(course)


def find_section(canvas: Canvas, text: str) -> Section:
    """A section that is not deleted."""
    return _active(_find(canvas.sections, "sis_section_id", text))


def find_term(canvas: Canvas, text: str) -> Term:
    """A term that is not deleted; `current` is the one dated term in force, if there is exactly one."""
    if text == "default":
        return canvas.terms[DEFAULT_TERM_ID]
    if text == "current":
        return _current_term(canvas)
    return _active(_find(canvas.terms, "sis_term_id", text))


def find_user(canvas: Canvas, text: str, token: Token, *, deleted: bool = False) -> User:
    """A user; `self` is the token's owner. Deleted users and logins count only when `deleted` says so."""
    if text == "self":
        return canvas.users[token.user_id]
    if text.isdecimal():
        user = _required(canvas.users.get(int(text)))
        return user if deleted else _active(user)
    prefix, _, value = _unhexed(text).partition(":")
    if prefix == "sis_login_id":
        logins = canvas.pseudonyms.where("unique_id", value)
    elif prefix == "sis_user_id":
        logins = [login for login in [canvas.pseudonyms.by_sis_id(value)] if login]
    elif prefix == "sis_integration_id":
        logins = [login for login in [canvas.pseudonyms.by_integration_id(value)] if login]
    else:
        raise not_found()
    login = next((login for login in logins if deleted or not login.is_deleted), None)
    user = canvas.users[_required(login).user_id]
    return user if deleted else _active(user)


def find_role(canvas: Canvas, text: str) -> Role:
    """A role by its id, of any state."""
    return _by_id(canvas.roles, text)


def find_login(canvas: Canvas, text: str) -> Pseudonym:
    """A login by its id that is not deleted."""
    return _active(_by_id(canvas.pseudonyms, text))


def find_enrollment(canvas: Canvas, text: str) -> Enrollment:
    """An enrollment by its id, of any state."""
    return _by_id(canvas.enrollments, text)


def _find(table: Table[S], sis_prefix: str, text: str) -> S:
    if text.isdecimal():
        return _required(table.get(int(text)))
    prefix, _, value = _unhexed(text).partition(":")
    if prefix == sis_prefix:
        return _required(table.by_sis_id(value))
    if prefix == "sis_integration_id":
        return _required(table.by_integration_id(value))
    raise not_found()


def _by_id(table: Table[R], text: str) -> R:
    return _required(table.get(int(text)) if text.isdecimal() else None)


def _unhexed(text: str) -> str:
    match = _HEX.fullmatch(text)
    if not match:
        return text
    return f"{match['prefix']}:{bytes.fromhex(match['bytes']).decode('utf-8', 'replace')}"


def _current_term(canvas: Canvas) -> Term:
    now = canvas.now()
    in_force = [
        term
        for term in canvas.terms
        if not term.is_deleted and term.start_at and term.end_at and term.start_at <= now <= term.end_at
    ]
    if len(in_force) != 1:
        raise not_found()
    return in_force[0]


def _active(record: R) -> R:
    if record.is_deleted:
        raise not_found()
    return record


def _required(record: R | None) -> R:
    if record is None:
        raise not_found()
    return record
