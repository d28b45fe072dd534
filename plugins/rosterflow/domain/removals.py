"""What becomes of objects that the source no longer has: they are closed, hidden, deleted, or left for a reason."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from rosterflow.domain.confirmed import World
from rosterflow.domain.decisions import Decision
from rosterflow.domain.id_changes import IdChanges
from rosterflow.domain.institution import Removal
from rosterflow.domain.model import Key, Kind, Section, SourceKind, State, key_of
from rosterflow.domain.plan import Action, Change
from rosterflow.domain.rosters import Thing
from rosterflow.domain.sequence import account_parents, ancestors
from rosterflow.domain.snapshot import Snapshot

RULES: dict[str, str] = {
    "gone": "The source no longer has it.",
    "left-by-policy": "The institution's settings leave it in Canvas when the source no longer has it.",
    "left-with-course": "A section is deleted only from a course in use that the source still has.",
    "course-in-use": "A course stays open while a section that is still wanted lies in it.",
    "emne-account-kept": "An emne's account stays: courses of other terms live in it.",
    "account-not-empty": "An account stays while anything that is not deleted lies in it.",
    "term-kept": "A term is never removed.",
    "id-change-ambiguous": "It may be the same as a wanted object of its lineage, but nobody can tell as which.",
    "id-change-rejected": "A person said that it is not the wanted one under another id, so it stays beside that one.",
    "state-owned-by-canvas": "People set its state in Canvas, and Canvas would ignore ours.",
}
"""Ids of the rules by which something absent is removed or stays. A removal carries the source's own rule when it says
why the object is no longer sent (``export-off``), else ``gone``."""

_STATES = {Action.CLOSE: State.COMPLETED, Action.HIDE: State.UNPUBLISHED, Action.DELETE: State.DELETED}


@dataclass(frozen=True, slots=True)
class Absent:
    """What the source no longer has, and what must be known to judge it.

    :param world: what Canvas confirmed.
    :param planned: the same once everything that is added, changed or renamed has been.
    :param keys: objects in use that are inside the scope and not wanted, those that only got another id included.
    """

    snapshot: Snapshot
    world: World
    planned: World
    keys: frozenset[Key]
    ids: IdChanges
    policy: Removal

    def in_order(self) -> list[Key]:
        """Sections, courses, then accounts, the deepest first; without those that only got another id."""
        parents = account_parents(self.planned)

        def place(key: Key) -> tuple[int, int, str]:
            depth = len(ancestors(key.sis_id, parents)) if key.kind is Kind.ACCOUNT else 0
            return (Kind.SECTION, Kind.COURSE, Kind.ACCOUNT, Kind.TERM).index(key.kind), -depth, key.sis_id

        return sorted(self.keys - self.ids.new.keys(), key=place)

    def reason_to_stay(self, key: Key, deleted: Collection[Key]) -> str | None:
        """The rule by which an absent object stays as it is, ``None`` when it is to go.

        :param deleted: what this plan has deleted so far.
        """
        if key in self.ids.ambiguous:
            return "id-change-ambiguous"
        if key in self.ids.rejected:
            return "id-change-rejected"
        if "state" in self.world[key].owned_by_canvas:
            return "state-owned-by-canvas"
        match key.kind:
            case Kind.TERM:
                return "term-kept"
            case Kind.COURSE:
                return self._course(key)
            case Kind.SECTION:
                return self._section(key)
            case Kind.ACCOUNT:
                return self._account(key, deleted)
            case Kind.USER | Kind.ENROLLMENT | Kind.ADMIN:
                return None

    def _course(self, key: Key) -> str | None:
        if self.policy.course == "leave":
            return "left-by-policy"
        return "course-in-use" if any(map(self._is_needed, self.planned.below(key))) else None

    def _is_needed(self, section: Key) -> bool:
        known = section in self.snapshot.objects or section in self.snapshot.untouchable or section in self.ids.new
        return known and self.planned[section].is_alive

    def _section(self, key: Key) -> str | None:
        section = self.planned[key].thing
        course = Key(Kind.COURSE, section.course if isinstance(section, Section) else "")
        named = course in self.snapshot.objects and course not in self.snapshot.untouchable
        if not named or course not in self.planned or not self.planned[course].is_alive:
            return "left-with-course"
        return "left-by-policy" if self.policy.section == "leave" else None

    def _account(self, key: Key, deleted: Collection[Key]) -> str | None:
        if self.world[key].thing.origin.source is SourceKind.EMNE:
            return "emne-account-kept"
        if self.policy.account == "leave":
            return "left-by-policy"
        inside = (child for child in self.planned.below(key) if child not in deleted)
        return "account-not-empty" if any(self.planned[c].thing.state is not State.DELETED for c in inside) else None

    def rules(self) -> dict[Key, str]:
        """The source's own rule by which an object is no longer sent, where it gave one."""
        found: dict[Key, str] = {}
        for decision in self.snapshot.decisions:
            if decision.key in self.keys and not decision.allowed:
                found[decision.key] = min(decision.rule, found.get(decision.key, decision.rule))
        return found

    def removal_of(self, key: Key, rule: str) -> Change:
        """The change that takes an object away."""
        action = Action.DELETE
        if key.kind is Kind.COURSE:
            action = Action.CLOSE if self.policy.course == "close" else Action.HIDE
        reason = RULES["gone"] if rule == "gone" else f"The source has it but does not send it any more ({rule})."
        after = replace(self.planned[key].thing, state=_STATES[action])
        return Change(action, self.world[key].thing, after, rule, reason)


def removals(absent: Absent, resting: Collection[str]) -> tuple[list[Change], list[Change], list[Decision]]:
    """The removals in an order in which they can be sent, those that wait, and why the rest stays.

    :param resting: fingerprints of refused changes whose back-off is not over.
    """
    changes: list[Change] = []
    waiting: list[Change] = []
    decisions: list[Decision] = []
    deleted: set[Key] = set()
    rules = absent.rules()
    for key in absent.in_order():
        if rule := absent.reason_to_stay(key, deleted):
            decisions.append(decision_on(absent.world[key].thing, rule))
            continue
        change = absent.removal_of(key, rules.get(key, "gone"))
        if resting and change.fingerprint in resting:
            waiting.append(change)
            continue
        changes.append(change)
        if change.action is Action.DELETE:
            deleted.add(key)
    return changes, waiting, decisions


def decision_on(thing: Thing, rule: str) -> Decision:
    """A decision not to change an object in Canvas; its subject is the SIS id."""
    return Decision(thing.origin.source, thing.sis_id, allowed=False, rule=rule, key=key_of(thing))
