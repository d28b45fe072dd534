"""What a new Canvas holds: the root account, the institution's account and a corner that people made by hand.

No sync may touch the hand-made account, its course or its roster. Every person here is invented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas import people
from sandbox.canvas.objects import Account, EnrollmentState, Role, State, Write

if TYPE_CHECKING:
    from sandbox.canvas.state import Canvas

INSTITUTION_SIS_ID = "FSDEMO"

BASE_ROLES = (
    ("AccountAdmin", "AccountMembership"),
    ("StudentEnrollment", "StudentEnrollment"),
    ("TeacherEnrollment", "TeacherEnrollment"),
    ("TaEnrollment", "TaEnrollment"),
    ("DesignerEnrollment", "DesignerEnrollment"),
    ("ObserverEnrollment", "ObserverEnrollment"),
)

# Setting the table is nobody's edit: nothing sticks by it.
_SEED = Write(override=True)


def furnish(canvas: Canvas) -> None:
    """Put the first content into an empty Canvas; user 1, an administrator, owns the fixed access tokens."""
    now = canvas.now()
    root = Account(
        id=canvas.accounts.next_id(),
        workflow_state=State.ACTIVE,
        created_at=now,
        updated_at=now,
        name="Sandbox University System",
        parent_account_id=None,
    )
    canvas.accounts.add(root, _SEED)
    canvas.create_term(_SEED, name="Default Term")
    for name, base in BASE_ROLES:
        role = Role(
            id=canvas.roles.next_id(),
            workflow_state=State.BUILT_IN,
            created_at=now,
            updated_at=now,
            name=name,
            base_role_type=base,
            account_id=root.id,
        )
        canvas.roles.add(role, _SEED)
    integration = canvas.create_user(_SEED, name="Integrasjon", unique_id="integrasjon@sandbox.example")
    (administrator,) = canvas.roles.where("name", "AccountAdmin")
    people.make_admin(canvas, integration, root, administrator, _SEED)
    canvas.create_account(_SEED, name="Demohøgskolen", parent_account_id=root.id, sis_id=INSTITUTION_SIS_ID)
    _furnish_by_hand(canvas, root)


def _furnish_by_hand(canvas: Canvas, root: Account) -> None:
    account = canvas.create_account(_SEED, name="Laget for hånd", parent_account_id=root.id)
    course = canvas.create_course(
        _SEED,
        name="Velkomstkurs for nytilsatte",
        course_code="VELKOMST",
        account_id=account.id,
        term_id=1,
        workflow_state="available",
        graded_submissions=1,
    )
    section = canvas.create_section(_SEED, name="Høstpuljen", course_id=course.id)
    roster = (
        ("Ragnhild Eksempelsen", "ragnhild", "TeacherEnrollment"),
        ("Olav Oppdikten", "olav", "StudentEnrollment"),
        ("Solveig Påfunn", "solveig", "StudentEnrollment"),
    )
    for name, login, role_name in roster:
        user = canvas.create_user(_SEED, name=name, unique_id=f"{login}@sandbox.example")
        (role,) = canvas.roles.where("name", role_name)
        canvas.create_enrollment(_SEED, user=user, section=section, role=role, state=EnrollmentState.ACTIVE)
