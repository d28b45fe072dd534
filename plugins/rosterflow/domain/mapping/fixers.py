"""Who can do something about a rule that keeps a person out of Canvas, as `explain` names them."""

from __future__ import annotations

from enum import StrEnum


class Fixer(StrEnum):
    """Who can do something about it."""

    STUDY_ADMINISTRATION = "the study administration, in FS"
    PERSON = "the person, who may reserve themselves, or the study administration, in FS"
    IDENTITY = "those who give out Feide logins"
    SETTINGS = "whoever keeps the institution's settings file"
    OWNER_OF_FS = "the owner of the API user in FS: it may not see these rows"
    APPROVER = "an approver, who is asked whether it is the same person"
    TIME = "nobody: it passes by itself"


FIXERS: dict[str, Fixer] = {
    "row-invalid": Fixer.STUDY_ADMINISTRATION,
    "user-reserved": Fixer.PERSON,
    "user-dead": Fixer.STUDY_ADMINISTRATION,
    "user-transfer-unknown": Fixer.OWNER_OF_FS,
    "user-without-login": Fixer.IDENTITY,
    "user-login-shared": Fixer.IDENTITY,
    "user-login-invalid": Fixer.IDENTITY,
    "user-id-changed": Fixer.APPROVER,
    "user-id-ambiguous": Fixer.IDENTITY,
    "user-contradicted": Fixer.STUDY_ADMINISTRATION,
    "user-not-read": Fixer.OWNER_OF_FS,
    "place-not-sent": Fixer.STUDY_ADMINISTRATION,
    "row-reserved": Fixer.PERSON,
    "right-not-active": Fixer.STUDY_ADMINISTRATION,
    "not-registered": Fixer.PERSON,
    "term-ended": Fixer.STUDY_ADMINISTRATION,
    "role-not-begun": Fixer.TIME,
    "role-ended": Fixer.STUDY_ADMINISTRATION,
    "role-inactive": Fixer.STUDY_ADMINISTRATION,
    "role-without-mapping": Fixer.SETTINGS,
    "role-without-account-role": Fixer.SETTINGS,
    "role-left-out": Fixer.SETTINGS,
    "no-longer-staff": Fixer.STUDY_ADMINISTRATION,
    "dialect-2023-lacks-people": Fixer.SETTINGS,
}
"""By the id of the rule (:data:`rosterflow.domain.mapping.rules.RULES`); others keep nobody out."""
