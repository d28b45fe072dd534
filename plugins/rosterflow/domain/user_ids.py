"""Users who go by another SIS id in the source: they get it in Canvas, and keep all that they are in.

FS merges two numbers of a person into one, and an institution may decide to make the ids of something else: then the
login stays. Where ids are made of logins somebody may get another login: then the personlopenummer stays. A login may
be somebody else's by now, so a person decides each time. Until then the user stays as Canvas has it, and is neither
brought anywhere nor changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from rosterflow.domain.confirmed import World
from rosterflow.domain.model import Kind
from rosterflow.domain.plan import Action, Change, member_print
from rosterflow.domain.rosters import Member, Roster, shelf_of

SAME_NAME, OTHER_NAME, SAME_NUMBER = "user-id-changed", "user-id-changed-with-name", "user-login-changed"

RULES: dict[str, str] = {
    SAME_NAME: "In the source they go by another id, with the same login.",
    SAME_NUMBER: "In the source they have another login, of which the id is made, with the same personlopenummer.",
    OTHER_NAME: "In the source another name goes by another id with their login, so it may be somebody else.",
}
"""Ids of the rules by which users get another id."""


class NewId(NamedTuple):
    """The SIS id that a user goes by in the source now.

    :param rule: how sure it is that they are the same, of :data:`RULES`.
    """

    sis_id: str
    rule: str


def user_id_changes(
    ids: Mapping[str, NewId], world: World, resting: Collection[str]
) -> tuple[list[Change], list[Change]]:
    """The proposed changes, by shelf and by how sure it is that they are the same people.

    :param ids: by the SIS id that Canvas knows.
    :param resting: prints of the changes that Canvas refused and that are not to be sent yet.
    :returns: those to propose, and those that wait.
    """
    alike: dict[tuple[str, str], dict[str, str]] = {}
    for old, new in ids.items():
        alike.setdefault((shelf_of(old), new.rule), {})[old] = new.sis_id
    going: list[Change] = []
    waiting: list[Change] = []
    for (shelf, rule), people in sorted(alike.items()):
        known = world.rosters[Roster(Kind.USER, None, shelf, {}).whole]
        members: dict[str, Member] = {old: known.members[old] for old in people}
        part = Roster(Kind.USER, None, shelf, members, {}, known.origin, rule, people)
        rest = {old for old, member in members.items() if member_print(part, old, member) in resting}
        for users, goal in ((people.keys() - rest, going), (rest, waiting)):
            if users:
                some = part.only(users)
                goal.append(Change(Action.CHANGE_ID, some, some, rule, RULES[rule]))
    return going, waiting
