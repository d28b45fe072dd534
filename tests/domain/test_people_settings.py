from __future__ import annotations

from tests.domain.fs_builders import institution


def test_custom_roles_are_all_that_the_settings_name_and_not_every_canvas_has() -> None:
    inst = institution(
        roles={"LÆRER": "TeacherEnrollment", "SENSOR": "Sensor", "TOLK": ""},
        people={
            "student_role": "Deltaker",
            "ims_roles": {"MENTOR": "Veileder", "LEARNER": "StudentEnrollment"},
            "account_roles": {"ADMIN": "AccountAdmin", "STUDKONS": "Studiekonsulent"},
        },
    )

    assert inst.custom_roles == {"Sensor", "Deltaker", "Veileder", "Studiekonsulent"}
    assert institution().custom_roles == frozenset()
