"""The settings of one institution about people: who is a user, in which role, and what happens when they leave.

Issue 3 §3.2; the roles of Canvas by the Canvas contract §5.9 and §5.10, those of FS by the FS reference §4.7 and §8.9.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """Base of every settings block: an unknown key is an error, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


CANVAS_ROLES = frozenset(
    {"StudentEnrollment", "TeacherEnrollment", "TaEnrollment", "DesignerEnrollment", "ObserverEnrollment"}
)
ACCOUNT_ADMIN = "AccountAdmin"
"""The account role that every Canvas has."""

EndedEnrollment = Literal["inactive", "completed", "deleted", "leave"]


class Ladder(Model):
    """What becomes of an enrollment when its person leaves, by the reason (Canvas contract §11).

    ``inactive``: no access, and staff see it marked so; ``completed``: read-only; ``deleted``: as if it had never been,
    though what was handed in stays; ``leave``: nothing.
    """

    gone_before_census: EndedEnrollment = Field("deleted", description="Left the emne by the census date.")
    gone: EndedEnrollment = Field("inactive", description="Left after the census date, or where none is known.")
    moved: EndedEnrollment = Field("deleted", description="Left a section for another one of the same course.")
    term_ended: EndedEnrollment = Field(
        "leave",
        description="The dates of the course or its term are over, in Canvas too, where they shut it by themselves.",
    )
    role_ended: EndedEnrollment = Field("inactive", description="The role's period is over.")
    no_longer_staff: EndedEnrollment = Field("deleted", description="Not fagperson any more, after the days of grace.")
    reserved: EndedEnrollment = Field("inactive", description="The person may not be in the LMS (kanOverforesTilLms).")
    dead: EndedEnrollment = Field("inactive", description="The person is dead; can be taken back, no mail.")
    not_registered: EndedEnrollment = Field("inactive", description="No semester registration, where it is required.")


class Users(Model):
    """Who is a user in Canvas, and what of a user is the source's."""

    provision: bool = Field(True, description="Whether users are made and changed; off: an identity system does it.")
    sis_id: Literal["personlopenummer", "feide_bruker"] = Field(
        "personlopenummer", description="What a user's SIS id is made of: FS_<number>_<personlopenummer>, or the login."
    )
    owns: tuple[Literal["name", "email"], ...] = Field(
        ("name", "email"), description="Fields that are kept as the source has them; others are given once."
    )
    reserved: Literal["suspend", "leave"] = Field(
        "suspend", description="A user who may no longer be in the LMS (kanOverforesTilLms is false)."
    )


ImsRole = Literal[
    "LEARNER",
    "INSTRUCTOR",
    "CONTENT_DEVELOPER",
    "MEMBER",
    "MANAGER",
    "MENTOR",
    "ADMINISTRATOR",
    "TEACHING_ASSISTANT",
    "CUSTOM_ROLE",
]
"""The words that all institutions share for what a role is (FS reference §4.7)."""


class People(Model):
    """Students, teachers and administrators: whether and how they are kept in step."""

    sync: bool = Field(True, description="Whether people are read and sent at all.")
    users: Users = Users()
    student_role: str = Field(
        "StudentEnrollment", min_length=1, description="Canvas role of those who follow the teaching."
    )
    ims_roles: dict[ImsRole, str] = Field(
        {
            "LEARNER": "StudentEnrollment",
            "INSTRUCTOR": "TeacherEnrollment",
            "TEACHING_ASSISTANT": "TaEnrollment",
            "CONTENT_DEVELOPER": "DesignerEnrollment",
        },
        description="IMS role -> Canvas role, for FS role codes that `roles` does not name.",
    )
    account_roles: dict[str, str] = Field(
        {}, description="FS role code -> Canvas account role, for roles on units and study programmes."
    )
    emne_roles: Literal["sections", "account"] = Field(
        "sections", description="A role on an emne: in the sections of its UEs, or administrator of its account."
    )
    requires_semester_registration: bool = Field(
        False, description="Whether only students registered for the term are enrolled."
    )
    census_days: int | None = Field(
        None, ge=0, le=200, description="Days from a term's start to its census date; none: it is not known."
    )
    staff_grace_days: int = Field(
        90, ge=0, le=400, description="For so long somebody who is no longer fagperson keeps their roles."
    )
    students_leave: Ladder = Ladder()
    staff_leave: Ladder = Ladder()

    def role_problems(self) -> list[str]:
        """What is wrong with the roles of Canvas that are named here, one sentence each, beginning with the path."""
        return [
            *(f"people.ims_roles: {problem}" for problem in _misspelt(self.ims_roles)),
            *(f"people.{problem}" for problem in _misspelt({"student_role": self.student_role})),
            *(f"people.account_roles: {problem}" for problem in _no_codes(self.account_roles)),
            *(
                f"people.account_roles: {code}: {role!r} is for sections and courses; accounts have roles of their own"
                for code, role in self.account_roles.items()
                if role in CANVAS_ROLES
            ),
        ]


def enrollment_role_problems(roles: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with a table of FS role codes and the roles that they are in sections and courses."""
    yield from _no_codes(roles)
    yield from _misspelt(roles)


def _no_codes(table: Mapping[str, str]) -> Iterator[str]:
    for code in table:
        if not re.fullmatch(r"\S(.{0,8}\S)?", code):
            yield f"{code!r} is no FS role code (1 to 10 characters, no blank at either end)"


def _misspelt(table: Mapping[Any, str]) -> Iterator[str]:
    """A custom role may be called anything but what looks like a misspelt built-in one."""
    for code, role in table.items():
        if re.search("enrol+ment", role, re.IGNORECASE) and role not in CANVAS_ROLES:
            yield f"{code}: {role!r} is no Canvas enrollment type; one of {', '.join(sorted(CANVAS_ROLES))}"
