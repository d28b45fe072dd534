"""Why an object is, or is not, in Canvas as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from rosterflow.cli.listing import error_row
from rosterflow.cli.opening import InstitutionOption, JsonOption, chosen, show_json, show_rows, the_store
from rosterflow.cli.people import CourseOption, PersonOption, explain_a_person
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import FIELDS, Key, Kind
from rosterflow.store import decisions, history, looking

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Explanation:
    """All the store knows about a SIS id, as rows of lists."""

    confirmed: Rows
    decisions: Rows
    refusals: Rows
    errors: Rows
    history: Rows

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known."""
        return not (self.confirmed or self.decisions or self.refusals or self.errors or self.history)


def explain(
    sis_id: Annotated[str, typer.Option("--sis-id", help="SIS id of an account, term, course or section.")] = "",
    person: PersonOption = "",
    course: CourseOption = "",
    institution: InstitutionOption = "",
    as_json: JsonOption = False,
) -> None:
    """Say why something, or somebody, is or is not in Canvas: rules, what Canvas confirmed, refusals, history."""
    if bool(sis_id) == bool(person) or (course and not person):
        raise typer.BadParameter("give --sis-id, or --person with or without --course", param_hint="--sis-id, --person")
    one = chosen(institution)
    if person:
        explain_a_person(one, person, course, as_json=as_json)
        return
    with the_store() as store, store.begin() as connection:
        found = explanation(connection, one, sis_id)
    if as_json:
        names = Explanation.__dataclass_fields__
        show_json({"institution": one.key, "sis_id": sis_id, **{name: getattr(found, name) for name in names}})
        return
    if found.is_empty:
        typer.echo(f"Nothing is known about {sis_id}: no run of {one.name} has met it. Ids are case-sensitive.")
        return
    for title, rows, columns in (
        ("What Canvas confirmed", found.confirmed, ("kind", "state", "fields", "owned_by_canvas", "confirmed")),
        ("Decisions", found.decisions, ("source", "subject", "sent", "rule", "facts")),
        ("Refused by Canvas", found.refusals, ("kind", "attempts", "again_from")),
        ("Open errors", found.errors, ("code", "subject", "field", "message", "since")),
        ("History", found.history, ("at", "kind", "event", "rule", "detail", "run")),
    ):
        show_rows(title, rows, columns, as_json=False)


def explanation(connection: Connection, institution: Institution, sis_id: str) -> Explanation:
    """Gather what is known about a SIS id; moments in the institution's zone."""
    key = institution.key

    def local(moment: datetime) -> datetime:
        return moment.astimezone(institution.zone)

    made = decisions.about(connection, key, sis_id)
    subjects = [*(str(Key(kind, sis_id)) for kind in Kind), *(row.subject for row in made)]
    return Explanation(
        confirmed=[_confirmed_row(one, local(one.at)) for one in looking.confirmed_about(connection, key, sis_id)],
        decisions=[_decision_row(row) for row in made],
        refusals=[
            {"kind": str(of.kind), "attempts": refusal.attempts, "again_from": local(refusal.not_before)}
            for of, refusal in looking.refusals_about(connection, key, sis_id).items()
        ],
        errors=[error_row(row, local) for row in looking.errors_about(connection, key, subjects)],
        history=[
            {
                "at": local(row.at),
                "kind": row.kind,
                "event": row.event,
                "rule": row.rule,
                "detail": row.detail,
                "run": row.run_id,
                "plan": row.plan_id,
            }
            for row in history.of_object(connection, key, sis_id)
        ],
    )


def _confirmed_row(confirmed: looking.Confirmed, at: datetime) -> dict[str, Any]:
    thing = confirmed.one.thing
    fields = [(name, getattr(thing, name)) for name in FIELDS[thing.kind]]
    return {
        "kind": str(thing.kind),
        "state": str(thing.state),
        "fields": ", ".join(f"{name}={value}" for name, value in fields if value is not None),
        "owned_by_canvas": ", ".join(sorted(confirmed.one.owned_by_canvas)),
        "confirmed": at,
    }


def _decision_row(row: Any) -> dict[str, Any]:
    return {
        "source": row.source,
        "subject": row.subject,
        "sent": "yes" if row.allowed else "no",
        "rule": row.rule,
        "facts": ", ".join(f"{name}={value}" for name, value in row.facts),
    }
