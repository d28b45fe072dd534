"""What a person is shown of held changes: how many in which account, why, and the changes themselves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from rosterflow.domain.confirmed import World
from rosterflow.domain.guards import RULES
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import Account, CanvasObject, Course, Key, Kind, Section, key_of
from rosterflow.domain.plan import Action, Change
from rosterflow.store import approvals, objects
from rosterflow.store.engine import Store
from rosterflow.store.plans import ChangeState, StoredChange
from rosterflow.sync.cycles import undisturbed

SHOWN = 50
IN_SUBJECT = 3

VERBS = {
    Action.CREATE: "create",
    Action.UPDATE: "update",
    Action.REOPEN: "re-open",
    Action.CHANGE_ID: "change the id of",
    Action.CLOSE: "close",
    Action.HIDE: "unpublish",
    Action.DELETE: "delete",
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
def describe(store: Store, institution: Institution, approval_id: int, *, link: str = "") -> Description:
    """Describe what a request for approval asks about; what was withdrawn meanwhile is left out.

    :param link: where all changes can be read.
    :raises FatalError: ``request-unknown`` when the institution has no such request.
    """
    with store.begin() as connection:
        request = approvals.get_approval(connection, institution.key, approval_id)
        waiting = approvals.changes_of(connection, request, ChangeState.HELD)
        world = World(objects.load(connection, institution.key))
    planned = {key_of(one.change.after): one.change.after for one in waiting}
    accounts = Counter(_account(one.change, world, planned) for one in waiting)
    reasons = Counter(one.guard_reason if _is_telling(one) else RULES.get(one.guard_rule or "", "") for one in waiting)
    lines = tuple(_line(one) for one in waiting)
    people = " Two people must approve." if request.two_person else ""
    return Description(
        subject=_subject(institution, len(waiting), accounts, reasons),
        body="\n".join(
            (
                f"**{len(waiting)} change(s) wait for a decision.**{people} A comment is required.",
                "",
                *_table("Account", accounts),
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


def _is_telling(one: StoredChange) -> bool:
    """Whether the guard's own reason says more than its rule: numbers that many changes share."""
    return (one.guard_rule or "").startswith(("removals", "updates"))


def _subject(institution: Institution, total: int, accounts: Counter[str], reasons: Counter[str | None]) -> str:
    most = ", ".join(f"{n} in {account}" for account, n in accounts.most_common(IN_SUBJECT))
    more = f" and {len(accounts) - IN_SUBJECT} more accounts" if len(accounts) > IN_SUBJECT else ""
    why = " ".join(str(reason) for reason, _ in reasons.most_common(IN_SUBJECT))
    return f"{institution.name}: {total} change(s) held: {most}{more}. {why}".strip()


def _table(title: str, counts: Mapping[str, int] | Mapping[str | None, int]) -> list[str]:
    rows = [f"| {_plain(str(name))} | {n} |" for name, n in Counter(counts).most_common()]
    return [f"| {title} | Changes |", "|---|---:|", *rows, ""]


def _line(one: StoredChange) -> str:
    change = one.change
    name = getattr(change.after, "long_name", None) or getattr(change.after, "name", "")
    fields = f" ({', '.join(change.changed_fields)})" if change.action is Action.UPDATE else ""
    return f"{VERBS[change.action]} {change.key} “{name}”{fields}: {change.reason} Held: {one.guard_reason}"


def _account(change: Change, world: World, planned: Mapping[Key, CanvasObject]) -> str:
    """The account in which an object lies, or will lie."""
    thing: CanvasObject = change.before or change.after
    if isinstance(thing, Section):
        key = Key(Kind.COURSE, thing.course)
        course = world[key].thing if key in world else planned.get(key)
        return course.account if isinstance(course, Course) else f"course {thing.course}"
    match thing:
        case Account():
            return thing.parent
        case Course():
            return thing.account
        case _:
            return "terms"


def _plain(text: str) -> str:
    """Text as it is: neither Markdown nor HTML may hide in the name of a course."""
    return re.sub(r"([\\`*_{}\[\]<>|#&])", r"\\\1", " ".join(text.split()))
