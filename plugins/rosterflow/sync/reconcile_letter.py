"""The mail about a comparison with Canvas: a table of counts, and the whole list as HTML and as CSV.

People open the CSV in a spreadsheet, so no cell of it is a formula; and they send such files on, so a person is in it
as people are shown (see :mod:`rosterflow.store.person_keys`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice

from rosterflow.domain.differences import MEANINGS, Difference, Finding
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import Kind
from rosterflow.store.person_keys import Shown
from rosterflow.sync.letters import TEMPLATES, Attachment, Letter, moment_text, write

MOST_ROWS = 20_000
"""Rows of the attached lists: more of them is a mail that many servers refuse."""

COLUMNS = ("finding", "kind", "what", "person", "field", "changed by", "wanted", "confirmed", "in Canvas")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a cell begins that a spreadsheet takes for a formula (OWASP, CSV injection)."""

Counts = Mapping[str, Mapping[str, int]]
"""How many objects, or people in a role, each finding is about, by its word and by the kind's."""


def letter_of(
    institution: Institution, differences: Iterable[Difference], counts: Counts, *, shown: Shown, now: datetime
) -> Letter:
    """What a comparison found, to the receivers of ``mail.reconcile``.

    :param differences: in the order in which they are shown; at most :data:`MOST_ROWS` are.
    :param shown: what people are called.
    """
    rows = [_row(one, shown) for one in islice(differences, MOST_ROWS)]
    total = sum(number for kinds in counts.values() for number in kinds.values())
    subject = f"{institution.name}: Canvas differs in {total} object{'' if total == 1 else 's'} or people"
    words = {
        "name": institution.name,
        "key": institution.key,
        "at": moment_text(now, institution.zone),
        "kinds": [str(kind) for kind in Kind if any(kind in kinds for kinds in counts.values())],
        "counts": {finding: counts[finding] for finding in Finding if finding in counts},
        "meanings": MEANINGS,
        "total": total,
        "shown": len(rows),
    }
    letter = write(
        "reconcile",
        institution.mail.reconcile,
        subject if total else f"{institution.name}: Canvas is as it was confirmed",
        **words,
    )
    return Letter(letter.to, letter.subject, letter.plain, letter.html, _files(institution, rows, words, now))


def _files(
    institution: Institution, rows: Sequence[Sequence[str]], words: Mapping[str, object], now: datetime
) -> tuple[Attachment, ...]:
    if not rows:
        return ()
    name = f"reconcile-{institution.key}-{now.astimezone(institution.zone):%Y-%m-%d}"
    page = TEMPLATES.get_template("reconcile_list.html").render(**words, columns=COLUMNS, rows=rows)
    return (
        Attachment(f"{name}.html", "text/html", page.encode()),
        Attachment(f"{name}.csv", "text/csv", as_csv(rows)),
    )


def as_csv(rows: Iterable[Sequence[str]], columns: Sequence[str] = COLUMNS) -> bytes:
    """Rows of a list as a file that spreadsheets open: UTF-8 with a mark, and no cell of it is a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _row(one: Difference, shown: Shown) -> tuple[str, ...]:
    return (
        str(one.finding),
        str(one.kind),
        one.sis_id,
        shown(one.user) if one.user else "",
        one.field,
        str(one.hand),
        one.wanted,
        one.confirmed,
        one.actual,
    )


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA) else cell
