"""What a person is shown of held changes: how many in which account, why, and the changes themselves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from rosterflow.domain.confirmed import World
from rosterflow.domain.guards import RULES
from rosterflow.domain.institution import Tenant
from rosterflow.domain.model import Account, CanvasObject, Course, Key, Kind, Section, key_of
from rosterflow.domain.plan import REMOVALS, Action
from rosterflow.domain.rosters import Place, Roster, Thing
from rosterflow.domain.undone import UNDONE
from rosterflow.store import approvals, objects, plans, runs
from rosterflow.store.engine import Store
from rosterflow.store.plans import ChangeState, StoredChange
from rosterflow.store.runs import UNDO, Run
from rosterflow.sync.cycles import undisturbed
from rosterflow.sync.undoing import losses_of, serious

SHOWN = 50
IN_SUBJECT = 3
COURSES_SHOWN = 10

VERBS = {
    Action.CREATE: "create",
    Action.UPDATE: "update",
    Action.REOPEN: "re-open",
    Action.CHANGE_ID: "change the id of",
    Action.CLOSE: "close",
    Action.HIDE: "unpublish",
    Action.DELETE: "delete",
}

PEOPLE_VERBS = {
    Action.CREATE: "add",
    Action.REOPEN: "bring back",
    Action.UPDATE: "change",
    Action.CHANGE_ID: "change the id of",
    Action.CLOSE: "complete",
    Action.HIDE: "suspend",
    Action.DELETE: "remove",
}


@dataclass(frozen=True, slots=True)
class Description:
    """A question to a person.

    :param subject: one line: counts per account, and the reasons.
    :param body: Markdown: the counts, the reasons and the first changes.
    :param lines: every change, one a line, in the order in which they would be sent.
    """

    subject: str
    body: str
    lines: tuple[str, ...]


@undisturbed
def describe(
    store: Store,
    institution: Tenant,
    approval_id: int,
    *,
    link: str = "",
    world_in: Callable[[Connection], World] | None = None,
    unit: str = "Account",
) -> Description:
    """Describe what a request for approval asks about; what was withdrawn meanwhile is left out.

    :param link: where all changes can be read.
    :param world_in: what the changes are about, when that is not Canvas.
    :param unit: what an account stands for there.
    :raises FatalError: ``request-unknown`` when the institution has no such request.
    """
    with store.begin() as connection:
        request = approvals.get_approval(connection, institution.key, approval_id)
        waiting = approvals.changes_of(connection, request, ChangeState.HELD)
        world = world_in(connection) if world_in else World(objects.load(connection, institution.key))
        asked_by = runs.get_run(connection, plans.get_plan(connection, request.plan_id).run_id)
    planned = (one.change.after for one in waiting if not one.is_of_people)
    told = _Told(world, {key_of(thing): thing for thing in planned if not isinstance(thing, Roster)})
    accounts, courses, reasons = told.counts(waiting)
    total = sum(one.weight for one in waiting)
    lines = tuple(_line(one) for one in waiting)
    people = " Two people must approve." if request.two_person else ""
    return Description(
        subject=_subject(institution, total, accounts, reasons),
        body="\n".join(
            (
                f"**{total} change(s) wait for a decision.**{people} A comment is required.",
                "",
                *_undoing(asked_by),
                *_table(unit, accounts),
                *(_table("Course", dict(courses.most_common(COURSES_SHOWN))) if courses else ()),
                *_table("Reason", reasons),
                f"**The first {SHOWN} of {len(lines)}:**" if len(lines) > SHOWN else "**The changes:**",
                "",
                *(f"- {_plain(line)}" for line in lines[:SHOWN]),
                *(["", f"[All of them]({link})"] if link else []),
                "",
                f"Request {approval_id}, plan {request.plan_id}, digest `{request.hash[:12]}`.",
            )
        ),
        lines=lines,
    )


def _undoing(run: Run) -> list[str]:
    """What an undo is about, and all that it does not bring back; nothing, when a run undoes nothing."""
    if run.mode != UNDO:
        return []
    losses = losses_of(run.counts)
    told = serious(losses)
    return [
        f"**They undo plan {run.counts['undoes']}**, because: {_plain(str(run.counts['because']))}",
        "",
        f"**What does not come back, or not as it was ({len(told)}):**" if told else "Everything comes back as it was.",
        "",
        *(f"- {_plain(str(loss))}" for loss in told),
        *([""] if told else ()),
    ]


def _is_telling(one: StoredChange) -> bool:
    """Whether the guard's own reason says more than its rule: numbers that many changes share."""
    return (one.guard_rule or "").startswith(("removals", "updates", "whole", UNDONE))


def _subject(institution: Tenant, total: int, accounts: Counter[str], reasons: Counter[str | None]) -> str:
    most = ", ".join(f"{n} in {account}" for account, n in accounts.most_common(IN_SUBJECT))
    more = f" and {len(accounts) - IN_SUBJECT} more accounts" if len(accounts) > IN_SUBJECT else ""
    why = " ".join(str(reason) for reason, _ in reasons.most_common(IN_SUBJECT))
    return f"{institution.name}: {total} change(s) held: {most}{more}. {why}".strip()


def _table(title: str, counts: Mapping[str, int] | Mapping[str | None, int]) -> list[str]:
    rows = [f"| {_plain(str(name))} | {n} |" for name, n in Counter(counts).most_common()]
    return [f"| {title} | Changes |", "|---|---:|", *rows, ""]


def _line(one: StoredChange) -> str:
    if one.is_of_people:
        what = "user(s)" if one.kind is Kind.USER else f"{one.kind}(s) in {one.whole.sis_id}"
        return f"{PEOPLE_VERBS[one.action]} {one.weight} {what}: {one.reason} Held: {one.guard_reason}"
    change = one.change
    name = getattr(change.after, "long_name", None) or getattr(change.after, "name", "")
    fields = f" ({', '.join(change.changed_fields)})" if change.action is Action.UPDATE else ""
    return f"{VERBS[change.action]} {change.key} “{name}”{fields}: {change.reason} Held: {one.guard_reason}"


@dataclass(frozen=True, slots=True)
class _Told:
    """Where held changes are.

    :param planned: objects as they will be, where Canvas has none yet.
    """

    world: World
    planned: Mapping[Key, CanvasObject]

    def counts(self, waiting: Iterable[StoredChange]) -> tuple[Counter[str], Counter[str], Counter[str | None]]:
        """How many objects and people they are about, by account, by the course that loses people, and by reason."""
        accounts: Counter[str] = Counter()
        courses: Counter[str] = Counter()
        reasons: Counter[str | None] = Counter()
        for one in waiting:
            thing = one.outline
            accounts[self.account_of(thing)] += one.weight
            reasons[one.guard_reason if _is_telling(one) else RULES.get(one.guard_rule or "", "")] += one.weight
            if isinstance(thing, Roster) and thing.kind is Kind.ENROLLMENT and one.action in REMOVALS:
                courses[self.course_of(thing)] += one.weight
        return accounts, courses, reasons

    def account_of(self, thing: Thing) -> str:
        """The account in which a thing lies, or will lie."""
        match thing:
            case Account():
                return thing.parent
            case Course():
                return thing.account
            case Section():
                course = self._known(Key(Kind.COURSE, thing.course))
                return course.account if isinstance(course, Course) else f"course {thing.course}"
            case Roster(place=Place(kind=Kind.ACCOUNT, sis_id=account)):
                return account
            case Roster(place=Place() as place):
                around = self._known(place.key)
                return self.account_of(around) if around else str(place)
            case Roster():
                return "users"
            case _:
                return "terms"

    def course_of(self, roster: Roster) -> str:
        """The SIS id of the course that people are in."""
        if roster.place is None:
            return ""
        place = self._known(roster.place.key)
        return place.course if isinstance(place, Section) else roster.place.sis_id

    def _known(self, key: Key) -> CanvasObject | None:
        one = self.world.get(key)
        return one.thing if one else self.planned.get(key)


def _plain(text: str) -> str:
    """Text as it is: neither Markdown nor HTML may hide in the name of a course."""
    return re.sub(r"([\\`*_{}\[\]<>|#&])", r"\\\1", " ".join(text.split()))
