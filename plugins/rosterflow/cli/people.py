"""Why a person is, or is not, in a course, and what happened to a person or an object."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from rosterflow.cli.opening import CannotAnswer, InstitutionOption, JsonOption, chosen, show_json, show_rows, the_store
from rosterflow.domain.institution import Institution
from rosterflow.domain.naming import SisIds
from rosterflow.settings import environment
from rosterflow.store import history
from rosterflow.sync.explaining import Moment, PersonExplained, Told, explain_somebody, timeline_of
from rosterflow.sync.pages import PageStore

PersonOption = Annotated[str, typer.Option("--person", help="Personlopenummer of a person, or their key in a mail.")]
CourseOption = Annotated[
    str, typer.Option("--course", help="With --person: only about this course; its SIS id, or a section's.")
]


def explain_a_person(institution: Institution, person: str, course: str, *, as_json: bool) -> None:
    """Print the rules on a person in order, where they stand in Canvas, and what happened."""
    if not institution.people.sync:
        raise CannotAnswer(f"{institution.name} keeps no people in step: people.sync is false.")
    if institution.fs.dialect == "2023":
        raise CannotAnswer(f"{institution.name} reads FS's dialect of 2023, which names no people.")
    number = person.removeprefix(SisIds(institution.number).user(""))
    here = environment()
    with the_store() as store:
        blobs = PageStore(here.storage_url, here.page_keys)
        found = explain_somebody(store, blobs, institution, number, course)
    rules = [_rule_row(place, told, found) for place, told in enumerate(found.steps)]
    standings = [{"where": where, "state": state} for where, state in found.standings]
    moments = moment_rows(institution, found.timeline)
    if as_json:
        head = {"institution": institution.key, "person": number, "course": course or None, "run": found.run.id}
        show_json({**head, "rules": rules, "in_canvas": standings, "timeline": moments})
        return
    read_at = found.run.started_at.astimezone(institution.zone)
    typer.echo(f"{institution.name}, person {number}, by what run {found.run.id} read on {read_at:%Y-%m-%d %H:%M}.")
    if not rules:
        typer.echo("FS names no right, membership or role of this person there, nor the person as a user.")
    elif found.blocked_by is not None:
        blocking = found.steps[found.blocked_by]
        stopped = f"Stopped first by {blocking.step.rule}: {blocking.meaning} Who can fix it: {blocking.fixer}."
        Console().print(stopped, style="bold", markup=False, highlight=False, soft_wrap=True)
    show_rows("Rules, in order", rules, ("mark", "rule", "meaning", "facts", "place", "who_can_fix_it"), as_json=False)
    show_rows("In Canvas", standings, ("where", "state"), as_json=False)
    show_rows("What happened", moments, ("at", "what", "where", "detail"), as_json=False)


def timeline(
    sis_id: Annotated[str, typer.Option("--sis-id", help="SIS id of an account, term, course or section.")] = "",
    person: PersonOption = "",
    institution: InstitutionOption = "",
    as_json: JsonOption = False,
) -> None:
    """Say what happened, oldest first: seen, planned, held, sent, confirmed, refused, with times."""
    if bool(sis_id) == bool(person):
        raise typer.BadParameter("give one of them", param_hint="--sis-id or --person")
    one = chosen(institution)
    with the_store() as store:
        if person:
            moments = timeline_of(store, one, person)
        else:
            with store.begin() as connection:
                events = history.of_object(connection, one.key, sis_id)
            moments = [Moment(row.at, row.event, row.kind, row.detail or row.rule) for row in events]
    show_rows(
        f"What happened to {sis_id or person}",
        moment_rows(one, moments),
        ("at", "what", "where", "detail"),
        as_json=as_json,
    )


def moment_rows(institution: Institution, moments: Any) -> list[dict[str, Any]]:
    """A timeline for a list, in the institution's zone."""

    def local(moment: datetime) -> datetime:
        return moment.astimezone(institution.zone)

    return [{"at": local(one.at), "what": one.what, "where": one.where, "detail": one.detail} for one in moments]


def _rule_row(place: int, told: Told, found: PersonExplained) -> dict[str, Any]:
    step = told.step
    return {
        "mark": "→ no" if place == found.blocked_by else "ok" if step.allowed else "no",
        "source": str(step.source),
        "rule": step.rule,
        "allowed": step.allowed,
        "blocks": place == found.blocked_by,
        "meaning": told.meaning,
        "facts": ", ".join(f"{name}={value}" for name, value in step.facts),
        "place": str(step.place or ""),
        "who_can_fix_it": told.fixer,
    }
