from __future__ import annotations

import re
from pathlib import Path

from rosterflow.domain.mapping import fixers, rules
from rosterflow.domain.mapping.fixers import FIXERS
from rosterflow.domain.mapping.rules import RULES

KEEP_NOBODY_OUT = {
    "user-sent", "user-login-lower-cased", "user-name-missing", "user-email-invalid", "student-right", "student-party",
    "student-programme", "student-klasse", "evu-participant", "role", "staff-grace",
}  # fmt: skip


def test_for_each_rule_that_keeps_people_out_it_is_known_who_can_do_something_about_it() -> None:
    of_people = re.split(r"# people\n", Path(rules.__file__).read_text(encoding="utf-8"))[1]
    known = set(re.findall(r'^    "([a-z0-9-]+)": ', of_people, flags=re.MULTILINE))

    assert known - KEEP_NOBODY_OUT == FIXERS.keys() - {"row-invalid"}
    assert FIXERS.keys() <= RULES.keys()
    assert set(FIXERS.values()) == set(fixers.Fixer)
