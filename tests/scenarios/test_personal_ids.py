"""Where SIS ids are made of logins, whatever others may read names nobody all the same (issue 3 §3.5)."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from rosterflow.store.person_keys import shown_by
from rosterflow.store.tables import metadata
from rosterflow.sync import digest, reconcile_letter
from rosterflow.sync.describing import describe
from rosterflow.sync.explaining import explain_somebody, timeline_of
from rosterflow.sync.letters import Letter
from rosterflow.sync.reporting import as_lines
from sandbox.university.people import Person
from tests.scenarios.college import College, college
from tests.scenarios.people_day import PEOPLE
from tests.scenarios.persons import drops, follows, newcomer
from tests.scenarios.test_reconcile import compared

SETTINGS: dict[str, Any] = {
    **PEOPLE,
    "people": PEOPLE["people"] | {"users": {"sis_id": "feide_bruker"}},
    "mail": {"digest": ["studieadm@folk.example"], "reconcile": ["studieadm@folk.example"]},
}
WORD = r"[^\W\d_]+"
ADDRESS = r"[\w.+-]+@[\w.-]+\w"
SHORT = 3
"""A name as short as this is a word of other texts, too."""


@dataclass
class Told:
    """A college in some trouble, and everything that others may read of it.

    :param person: somebody whom Canvas refused.
    """

    college: College
    person: Person
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def personal(self) -> set[str]:
        """Every word of a name, every login and every address."""
        found: set[str] = set()
        for person in self.college.university.personer:
            found.update(re.findall(WORD, f"{person.fornavn or ''} {person.etternavn}"))
            found.update((person.feide_bruker or "", person.epost or ""))
        return {one.lower() for one in found if len(one) > SHORT}

    def naming(self) -> dict[str, set[str]]:
        """What of people is in each text."""
        personal, found = self.personal, {}
        for name, text in self.texts.items():
            plain = text.encode().decode("unicode_escape", "ignore") if "\\u" in text else text
            words = {*re.findall(WORD, plain.lower()), *re.findall(ADDRESS, plain.lower())}
            if named := words & personal:
                found[name] = named
        return found


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("personal")
    with college(folder, **SETTINGS) as one, _logged() as log:
        found = _play(one)
        found.texts["log"] = "\n".join(log)
        found.texts |= _letters(one)
        found.texts |= _tables(one)
        found.texts |= {
            path.name: path.read_text("latin-1") for path in Path(folder).rglob("pages/**/*") if path.is_file()
        }
        yield found


class _logged(logging.Handler):
    """Everything that is logged meanwhile."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def __enter__(self) -> list[str]:
        self._before = logging.getLogger().level
        logging.getLogger().setLevel(logging.DEBUG)
        logging.getLogger().addHandler(self)
        return self.lines

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
        logging.getLogger().setLevel(self._before)


def _play(one: College) -> Told:
    """First contact, a student whom Canvas refuses, one who drops, one who is reserved, one whom hands delete."""
    harness = one.harness
    harness.run()
    asked = describe(harness.store, harness.institution, harness.waiting()[0])
    harness.approve()
    ue, (refused, leaving, barred, deleted) = one.teaching(), (newcomer(one) for _ in range(4))
    rights = [follows(one, person, ue) for person in (refused, leaving, barred, deleted)]
    guest = {"pseudonym[unique_id]": str(refused.feide_bruker), "pseudonym[sis_user_id]": "GJEST1"}
    one.by_hand("POST", "/accounts/1/users", **{"user[name]": "Gjest", **guest})
    lines = as_lines(harness.run(days_later=1).report)
    drops(one, rights[1])
    with one.changing_fs():
        barred.kan_overfores = False
    one.by_hand("DELETE", f"/accounts/1/users/sis_user_id:{deleted.feide_bruker}")
    lines += as_lines(harness.run(days_later=1).report)
    return Told(
        one, refused, {"question": "\n".join((asked.subject, asked.body, *asked.lines)), "report": "\n".join(lines)}
    )


def _letters(one: College) -> dict[str, str]:
    """The day's digest, and the mail about a comparison with its files."""
    harness = one.harness
    found = compared(one)
    counts = {str(finding): {str(kind): n for kind, n in kinds.items()} for finding, kinds in found.counts.items()}
    with harness.store.begin() as connection:
        shown = shown_by(connection, harness.institution.key)
        about = reconcile_letter.letter_of(harness.institution, found.differences, counts, shown=shown, now=one.clock())
        daily = digest.letter_of(
            harness.institution, digest.digest_of(connection, harness.institution, "2026-09-03", None)
        )
    return {"mail about a comparison": _text(about), "mail of the day": _text(daily)}


def _text(letter: Letter) -> str:
    files = [one.data.decode() for one in letter.attachments]
    return "\n".join((letter.subject, letter.plain, letter.html, *files))


def _tables(one: College) -> dict[str, str]:
    with one.harness.store.begin() as connection:
        return {
            table.name: "\n".join(
                json.dumps([str(value) for value in row], ensure_ascii=False)
                for row in connection.execute(select(table))
            )
            for table in metadata.sorted_tables
        }


def test_nothing_that_others_may_read_names_anybody(told: Told) -> None:
    assert len(told.personal) > 100
    assert told.naming() == {}


def test_what_was_looked_at_is_what_happened(told: Told) -> None:
    """The scan would find nobody in texts that say nothing."""
    texts = told.texts
    assert len(texts["roster"]) > 1000
    for name in (
        "log",
        "history",
        "row_error",
        "refusal",
        "plan_change",
        "sis_import",
        "mail of the day",
        "mail about a comparison",
        "report",
    ):
        assert texts[name], name
    for name in ("history", "row_error", "refusal", "mail about a comparison"):
        assert re.search(r"P-[0-9a-f]{16}", texts[name]), name
    canary = Told(told.college, told.person, {"canary": f"somebody called {told.person.etternavn}"})
    assert canary.naming() == {"canary": {"nykklia"}}


def test_who_may_see_people_asks_for_a_key(told: Told) -> None:
    harness, login = told.college.harness, str(told.person.feide_bruker)
    with harness.store.begin() as connection:
        key = shown_by(connection, harness.institution.key)(login)
    assert key in told.texts["row_error"]
    known = next(p for p in told.college.university.personer if p.feide_bruker and p is not told.person and p.student)
    with harness.store.begin() as connection:
        other = shown_by(connection, harness.institution.key)(str(known.feide_bruker).lower())

    by_key = explain_somebody(harness.store, harness.blobs, harness.institution, other)

    assert by_key == explain_somebody(harness.store, harness.blobs, harness.institution, str(known.lopenummer))
    assert ("user", "active") in by_key.standings
    assert timeline_of(harness.store, harness.institution, other) != []
