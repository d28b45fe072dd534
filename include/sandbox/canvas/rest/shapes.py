"""The JSON of Canvas's records: one function per kind, keys as the API pages list them.

Source: reference/canvas.md §10 and §13.1. `sis` says whether the caller may see SIS ids.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.canvas import people
from sandbox.canvas.http import Token, timestamp
from sandbox.canvas.objects import CourseState, EnrollmentState
from sandbox.canvas.state import ROOT_ACCOUNT_ID

if TYPE_CHECKING:
    from sandbox.canvas.objects import (
        Account,
        AccountUser,
        Course,
        Enrollment,
        Progress,
        Pseudonym,
        Role,
        Section,
        SisRecord,
        Term,
        User,
    )
    from sandbox.canvas.state import Canvas

UNPUBLISHED = (CourseState.CREATED, CourseState.CLAIMED)
ACCOUNT_ROLE = "AccountMembership"


def sees_sis(token: Token) -> bool:
    """Whether the caller has SIS rights, without which Canvas leaves the sis_ keys out."""
    return not token.permissions.isdisjoint({"read_sis", "manage_sis"})


def account_json(account: Account, *, sis: bool) -> dict[str, Any]:
    """An account; the root account has neither parent nor root."""
    is_root = account.id == ROOT_ACCOUNT_ID
    shown = {
        "id": account.id,
        "name": account.name,
        "workflow_state": account.workflow_state,
        "parent_account_id": account.parent_account_id,
        "root_account_id": None if is_root else ROOT_ACCOUNT_ID,
        "uuid": f"sandbox-account-{account.id}",
        "default_time_zone": "Europe/Oslo",
        "default_storage_quota_mb": 500,
        "default_user_storage_quota_mb": 50,
        "default_group_storage_quota_mb": 50,
    }
    return shown | (_sis_keys(account, "sis_account_id") if sis else {})


def term_json(term: Term, *, sis: bool, overrides: bool = False) -> dict[str, Any]:
    """A term; `overrides` adds the dates per enrollment type."""
    shown: dict[str, Any] = {
        "id": term.id,
        "name": term.name,
        "start_at": timestamp(term.start_at),
        "end_at": timestamp(term.end_at),
        "created_at": timestamp(term.created_at),
        "workflow_state": term.workflow_state,
        "grading_period_group_id": None,
    }
    if overrides:
        shown["overrides"] = {
            kind: {"start_at": timestamp(start), "end_at": timestamp(end)}
            for kind, (start, end) in term.overrides.items()
        }
    return shown | (_sis_keys(term, "sis_term_id") if sis else {})


def course_json(course: Course, *, sis: bool) -> dict[str, Any]:
    """A course; created and claimed are both called unpublished."""
    shown = {
        "id": course.id,
        "name": course.name,
        "account_id": course.account_id,
        "uuid": f"sandbox-course-{course.id}",
        "start_at": timestamp(course.start_at),
        "end_at": timestamp(course.end_at),
        "created_at": timestamp(course.created_at),
        "course_code": course.course_code,
        "root_account_id": ROOT_ACCOUNT_ID,
        "enrollment_term_id": course.term_id,
        "grade_passback_setting": course.grade_passback_setting,
        "restrict_enrollments_to_course_dates": course.restrict_enrollments_to_course_dates,
        "course_format": course.course_format,
        "blueprint": course.blueprint,
        "workflow_state": "unpublished" if course.workflow_state in UNPUBLISHED else course.workflow_state,
    }
    return shown | (_sis_keys(course, "sis_course_id") if sis else {})


def section_json(canvas: Canvas, section: Section, *, sis: bool) -> dict[str, Any]:
    """A section, with its own course while it is cross-listed into another."""
    shown = {
        "id": section.id,
        "course_id": section.course_id,
        "name": section.name,
        "start_at": timestamp(section.start_at),
        "end_at": timestamp(section.end_at),
        "created_at": timestamp(section.created_at),
        "restrict_enrollments_to_section_dates": section.restrict_enrollments_to_section_dates,
        "nonxlist_course_id": section.nonxlist_course_id,
    }
    if not sis:
        return shown
    return shown | _sis_keys(section, "sis_section_id") | {"sis_course_id": canvas.courses[section.course_id].sis_id}


def user_json(canvas: Canvas, user: User, *, sis: bool) -> dict[str, Any]:
    """A user with the ids of a login that is not deleted, one with a SIS id if there is one."""
    login = login_of(canvas, user)
    shown = {
        "id": user.id,
        "name": user.name,
        "created_at": timestamp(user.created_at),
        "sortable_name": user.sortable_name,
        "short_name": user.short_name,
        "login_id": login.unique_id if login else None,
        "email": people.email_of(canvas, user.id),
    }
    if not sis:
        return shown
    keys = ("sis_user_id", "integration_id", "sis_import_id")
    values = (login.sis_id, login.integration_id, login.sis_batch_id) if login else (None, None, None)
    return shown | dict(zip(keys, values, strict=True))


def login_of(canvas: Canvas, user: User) -> Pseudonym | None:
    """The login that stands for a user: not deleted, one with a SIS id if there is one."""
    return next(iter(people.logins_of(canvas, user.id)), None)


def login_json(login: Pseudonym, *, sis: bool) -> dict[str, Any]:
    """A login; all of them are the root account's."""
    shown = {
        "id": login.id,
        "user_id": login.user_id,
        "account_id": ROOT_ACCOUNT_ID,
        "unique_id": login.unique_id,
        "workflow_state": login.workflow_state,
        "authentication_provider_id": login.authentication_provider_id,
        "authentication_provider_type": people.AUTHENTICATION_PROVIDERS.get(login.authentication_provider_id or ""),
        "declared_user_type": login.declared_user_type,
        "created_at": timestamp(login.created_at),
    }
    return shown | (_sis_keys(login, "sis_user_id") if sis else {})


def admin_json(canvas: Canvas, admin: AccountUser, *, sis: bool) -> dict[str, Any]:
    """An administrator: the row's id, its role, its user."""
    return {
        "id": admin.id,
        "role": canvas.roles[admin.role_id].name,
        "role_id": admin.role_id,
        "user": user_json(canvas, canvas.users[admin.user_id], sis=sis),
        "workflow_state": admin.workflow_state,
    }


def role_json(canvas: Canvas, role: Role) -> dict[str, Any]:
    """A role; `role` repeats its label."""
    return {
        "id": role.id,
        "role": role.name,
        "label": role.name,
        "base_role_type": role.base_role_type,
        "is_account_role": role.base_role_type == ACCOUNT_ROLE,
        "workflow_state": role.workflow_state,
        "created_at": timestamp(role.created_at),
        "last_updated_at": timestamp(role.updated_at),
        "account": account_json(canvas.accounts[role.account_id], sis=False),
        "permissions": {},
    }


def enrollment_json(canvas: Canvas, enrollment: Enrollment, token: Token) -> dict[str, Any]:
    """An enrollment with its user; it reads deleted when its course or section is."""
    course, section = canvas.courses[enrollment.course_id], canvas.sections[enrollment.section_id]
    is_gone = course.is_deleted or section.is_deleted
    sis = sees_sis(token)
    user = user_json(canvas, canvas.users[enrollment.user_id], sis=sis)
    shown = {
        "id": enrollment.id,
        "user_id": enrollment.user_id,
        "course_id": enrollment.course_id,
        "type": enrollment.type,
        "created_at": timestamp(enrollment.created_at),
        "updated_at": timestamp(enrollment.updated_at),
        "associated_user_id": enrollment.associated_user_id,
        "start_at": timestamp(enrollment.start_at),
        "end_at": timestamp(enrollment.end_at),
        "course_section_id": enrollment.section_id,
        "root_account_id": ROOT_ACCOUNT_ID,
        "limit_privileges_to_course_section": enrollment.limit_privileges_to_course_section,
        "enrollment_state": EnrollmentState.DELETED if is_gone else enrollment.workflow_state,
        "role": canvas.roles[enrollment.role_id].name,
        "role_id": enrollment.role_id,
        "user": user,
    }
    if sis:
        shown |= {
            "sis_account_id": canvas.accounts[course.account_id].sis_id,
            "sis_course_id": course.sis_id,
            "course_integration_id": course.integration_id,
            "sis_section_id": section.sis_id,
            "section_integration_id": section.integration_id,
            "sis_user_id": user["sis_user_id"],
        }
    return shown | ({"sis_import_id": enrollment.sis_batch_id} if "manage_sis" in token.permissions else {})


def progress_json(progress: Progress, base_url: str) -> dict[str, Any]:
    """A piece of background work; `base_url` is the API's address up to /api/v1."""
    return {
        "id": progress.id,
        "context_id": progress.context_id,
        "context_type": progress.context_type,
        "user_id": progress.user_id,
        "tag": progress.tag,
        "completion": progress.completion,
        "workflow_state": progress.workflow_state,
        "created_at": timestamp(progress.created_at),
        "updated_at": timestamp(progress.updated_at),
        "message": progress.message,
        "url": f"{base_url}/progress/{progress.id}",
    }


def _sis_keys(record: SisRecord, name: str) -> dict[str, Any]:
    return {
        name: record.sis_id,
        "integration_id": record.integration_id,
        "sis_import_id": record.sis_batch_id,
    }
