"""The rules by which a row of FS becomes an object in Canvas or does not: id and sentence, as `explain` shows them."""

from __future__ import annotations

RULES: dict[str, str] = {
    # any kind of row
    "row-invalid": "The row lacks a field that it needs, or the field is malformed; what it may name stays as it is.",
    "id-collision": "Two rows form one id or contradict each other: no new one is sent, a confirmed one stays.",
    "parent-not-sent": "What it would lie in is neither sent nor in Canvas, so it waits; if it is confirmed it stays.",
    "name-missing": "The row has no name in any language, so it is called by its code.",
    "responsible-unit-not-exported": "The responsible unit is not exported: placed under the nearest exported unit.",
    "responsible-unit-missing": "FS names no responsible unit: placed directly under the institution's account.",
    "dialect-2023-lacks": "The dialect of 2023 does not carry these facts; what depends on them is done by default.",
    "outside-terms": "Teaching in terms that this run does not cover was read and left alone.",
    # terms
    "term-in-scope": "The run covers the term.",
    "term-needed": "A course of this run lies in the term.",
    "term-not-needed": "The run does not cover the term, and no course of the run lies in it.",
    "term-by-calendar": "FS gave no such term, or contradictory ones: made by the institution's calendar.",
    # units
    "unit-exported": "The unit is exported: it is an account.",
    "unit-own": "The institution's own unit is the institution's account in Canvas.",
    "unit-inactive": "The unit is not active (erAktiv is false).",
    "unit-not-exported": "The unit is not exported (skalEksporteresTilLms is false).",
    "unit-parent-not-exported": "The unit above is not exported: placed under the nearest exported unit above that.",
    "unit-parent-cycle": "By its parents the unit lies below itself: placed directly under the institution's account.",
    # emner
    "emne-exported": "The emne has an exported undervisningsenhet in the run's terms: it is an account.",
    "emne-all": "The institution wants an account for every emne.",
    "emne-kept": "The emne has no teaching in the run's terms, which is no reason to remove the account it has.",
    "emne-without-teaching": "The emne has no exported undervisningsenhet in the run's terms.",
    "emne-not-ours": "The emne's tjenestenummerForLms is not one of the institution's.",
    # undervisningsenheter
    "ue-exported": "The undervisningsenhet is exported: it is a course with a section.",
    "ue-not-exported": "The undervisningsenhet is not exported (skalEksporteresTilLms is false).",
    "ue-follows": "The teaching follows another emne: the section lies in that emne's course.",
    "followed-course-kept": "The section lies in the followed emne's course; the own course existed and is kept.",
    "followed-missing": "The followed emne has no exported undervisningsenhet in the same term: a course of its own.",
    "followed-cycle": "The emner follow each other in a circle: each has a course of its own.",
    "followed-not-read": "What it follows could not be read, or this run did not read it: left as it is until it is.",
    # undervisningsaktiviteter
    "ua-section": "The activity is exported: it is a section in the course of its undervisningsenhet.",
    "ua-own-room": "The activity's lmsRomkode means a room of its own: it is a course with a section.",
    "ua-none": "The activity's lmsRomkode means nothing in Canvas.",
    "ua-room-code-unknown": "The activity's lmsRomkode is not in the institution's room_codes.",
    "ua-not-exported": "The activity is not exported (skalEksporteresTilLms is false).",
    "ua-ue-not-exported": "The activity's undervisningsenhet is not exported, so neither is the activity.",
    "ua-parent-cycle": "The activities lie, by their parents, below each other: called by its own name alone.",
    # study programmes
    "programme-exported": "The programme is exported: it is an account.",
    "programme-with-course": "The programme is exported and has an lmsRomkode: it is an account and a course in it.",
    "programme-inactive": "The programme is not active (erAktiv is false).",
    "programme-not-exported": "The programme is not exported (skalEksporteresTilLms is false).",
    "kull-exported": "Programme and kull are exported: the kull is a course.",
    "kull-inactive": "The kull is not active (erAktiv is false).",
    "kull-not-exported": "The kull is not exported (skalEksporteresTilLms is false).",
    "kull-not-ours": "The kull's tjenestenummerForLms is not one of the institution's.",
    "kull-programme-not-sent": "The kull's programme is not sent, so neither is the kull.",
    "klasse-section": "Programme, kull and klasse are exported: the klasse is a section in the kull's course.",
    "klasse-course": "Programme, kull and klasse are exported and the klasse has an lmsRomkode: it is a course.",
    "klasse-inactive": "The klasse is not active (erAktiv is false).",
    "klasse-not-exported": "The klasse is not exported (skalEksporteresTilLms is false).",
    "klasse-kull-not-sent": "The klasse's programme or kull is not sent, so neither is the klasse.",
    # further education
    "evu-exported": "The EVU course is exported: it is a course.",
    "evu-inactive": "The EVU course is not active (erAktiv is false).",
    "evu-not-exported": "The EVU course is not exported (skalEksporteresTilLms is false).",
    "evu-not-ours": "The EVU course's tjenestenummerForLms is not one of the institution's.",
    # people
    "user-sent": "The person may be in Canvas and is a user.",
    "user-reserved": "The person may not be in the LMS (kanOverforesTilLms is false).",
    "user-dead": "The person is dead (erDod is true): the user is suspended, which can be taken back.",
    "user-transfer-unknown": "FS does not say whether the person may be in the LMS: a user in use stays as it is.",
    "user-without-login": "The person has no feideBruker: no new user is sent, and one in use stays as it is.",
    "user-login-shared": "Several people have one feideBruker: no new user is sent, and one in use stays as it is.",
    "user-login-lower-cased": "The feideBruker has capital letters: compared and sent without.",
    "user-login-invalid": "Canvas takes no such login: no new user is sent, and one in use stays as it is.",
    "user-name-missing": "The person has no name, so the user is called by the login.",
    "user-email-invalid": "What stands as the e-mail address is none: it is not sent.",
    "user-contradicted": "FS has several rows of the person that differ: a user in use stays as it is.",
    "user-id-changed": "Canvas has the person or the login under an id that FS has no longer: somebody is asked whether"
    " the user shall have the new one.",
    "user-id-ambiguous": "Canvas has the login under an id that FS has no longer, and several people have it now:"
    " nobody can tell whose user it is, so it stays as it is.",
    "user-not-read": "The person has rights or roles, but FS does not name them as a user: left as they are.",
    "student-right": "The right to follow the teaching puts the student into the section of its undervisningsenhet.",
    "student-party": "The party on which the student is placed puts them into the activity's section.",
    "student-programme": "The right to study puts the student into the course of the kull, and of the programme.",
    "student-klasse": "The membership puts the student where the klasse is.",
    "evu-participant": "The participation puts the person into the EVU course.",
    "role": "The role, by the institution's tables, puts the person into the section, course or account.",
    "place-not-sent": "What the people belong to is not in Canvas, by the rule named, so neither are they.",
    "term-ended": "The dates of the course, or of its term, are over, in Canvas too.",
    "row-reserved": "As a student, or as staff, the person may not be in the LMS (kanOverforesTilLms is false).",
    "right-not-active": "The student's status gives no active right to study (girAktivStudierett is false).",
    "not-registered": "The student is not registered for the term, which the institution asks for.",
    "role-not-begun": "The role's period has not begun.",
    "role-ended": "The role's period is over: it ended with its last day.",
    "role-inactive": "The role has no period, and FS says that it is not active.",
    "role-without-mapping": "Neither `roles` nor `people.ims_roles` say what the role is in a section or course.",
    "role-without-account-role": "`people.account_roles` does not say what the role is in an account.",
    "role-left-out": "The settings say that the role is nothing in Canvas.",
    "staff-grace": "The person is not fagperson any more, and keeps the roles for the days of grace.",
    "no-longer-staff": "The person is not fagperson any more, and the days of grace are over.",
    "dialect-2023-lacks-people": "The dialect of 2023 does not carry these people: nothing is said about anybody.",
}

OF_THE_RUN = frozenset(
    {
        "outside-terms",
        "term-needed",
        "term-not-needed",
        "emne-kept",
        "emne-without-teaching",
        "followed-not-read",
        "user-not-read",
    }
)
"""Rules that say what a run covered or could read rather than what the row is: another run gives another answer."""
