from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rosterflow.domain.confirmed import Refusal, World
from rosterflow.domain.guards import guard, stale
from rosterflow.domain.model import Key, Kind
from rosterflow.domain.plan import Action, member_print
from rosterflow.domain.rosters import Roster, shelf_of, shelves
from rosterflow.domain.snapshot import Snapshot
from rosterflow.domain.user_ids import NewId
from tests.domain import builders as a
from tests.domain import roster_builders as p

EMNE, COURSE = a.emne("INF1"), a.ue("INF1")
SECTION = a.ue_section("INF1")
USERS = p.users(old="kari", other="ola")
ROSTER = p.roster(SECTION, ["old", "other"])
WORLD = p.world(EMNE, COURSE, SECTION, rosters=[ROSTER], users=USERS)


def wants(**more: Any) -> Snapshot:
    """The source as Canvas is, but for an id."""
    things = [one.thing for one in WORLD.values()]
    return p.wants(*things, rosters=[ROSTER], users=USERS, user_ids={"old": NewId("new", "user-id-changed")}, **more)


def everybody(world: World) -> dict[Key, set[tuple[str, tuple[str, ...]]]]:
    return {key: set(roster.members.items()) for key, roster in world.rosters.items() if key.kind is not Kind.USER}


def test_a_user_with_another_id_is_one_change_that_is_always_held() -> None:
    plan = p.plan(wants(), WORLD)

    (change,) = plan.changes
    assert isinstance(change.after, Roster)
    assert (change.action, change.after.ids, change.weight) == (Action.CHANGE_ID, {"old": "new"}, 1)
    (held,) = guard(plan, WORLD, a.limits(), first_contact=False).held
    assert held.rule == "id-change"
    assert [told for told in ("old", "kari") if told in repr(held)] == []


def test_once_confirmed_the_user_goes_by_the_new_id_wherever_they_are() -> None:
    after = WORLD.after(p.plan(wants(), WORLD).changes)

    assert after.rosters[ROSTER.whole].members.keys() == {"new", "other"}
    assert (after.has_user("new"), after.has_user("old")) == (True, False)
    assert after.rosters[Key(Kind.USER, f"shelf {shelf_of('new')}")].members["new"] == USERS["old"]


def test_fields_that_belong_to_canvas_go_along() -> None:
    (shelf,) = (one for one in shelves(USERS) if "old" in one.members)
    owned = Roster(shelf.kind, None, shelf.role, shelf.members, {"old": frozenset({"name"})})
    world = World(WORLD.values(), [*WORLD.rosters.values(), owned])

    after = world.after(p.plan(wants(), world).changes)

    assert after.rosters[Key(Kind.USER, f"shelf {shelf_of('new')}")].owned == {"new": frozenset({"name"})}
    assert "old" not in after.rosters[shelf.whole].owned


def test_an_id_waits_while_the_read_is_not_whole() -> None:
    plan = p.plan(wants(people_gaps=("page 2 was lost",)), WORLD)

    assert (plan.changes, [change.action for change in plan.waiting]) == ((), [Action.CHANGE_ID])


def test_an_id_that_canvas_refused_waits_and_another_one_does_not() -> None:
    (change,) = p.plan(wants(), WORLD).changes
    assert isinstance(change.after, Roster)
    resting = member_print(change.after, "old", USERS["old"])
    later = {resting: Refusal(resting, 1, a.CLOCK.replace(year=2027))}

    assert p.plan(wants(), WORLD, refused=later).waiting == (change,)
    another = replace(wants(), user_ids={"old": NewId("newer", "user-id-changed")})
    assert [one.action for one in p.plan(another, WORLD, refused=later).changes] == [Action.CHANGE_ID]


def test_an_id_that_somebody_has_got_meanwhile_is_stale() -> None:
    changes = p.plan(wants(), WORLD).changes

    assert stale(changes, WORLD) == ()
    taken = World(WORLD.values(), [*WORLD.rosters.values(), *shelves({"new": p.user("eli")})])
    assert stale(changes, taken) == changes


def test_a_held_id_stops_nobody_from_coming() -> None:
    snapshot = p.wants(
        *(one.thing for one in WORLD.values()),
        rosters=[p.roster(SECTION, ["old", "other"]), p.roster(SECTION, ["other"], p.TEACHER)],
        users=USERS,
        user_ids={"old": NewId("new", "user-id-changed")},
    )

    verdict = guard(p.plan(snapshot, WORLD), WORLD, a.limits(), first_contact=False)

    assert [change.action for change in verdict.allowed] == [Action.CREATE]
    assert [held.change.action for held in verdict.held] == [Action.CHANGE_ID]


@given(st.dictionaries(st.sampled_from(["u1", "u2", "u3", "u4"]), st.sampled_from(["n1", "n2", "n3"]), max_size=3))
def test_whoever_gets_another_id_keeps_all_that_they_are_in(ids: dict[str, str]) -> None:
    ids = {old: new for new, old in {new: old for old, new in ids.items()}.items()}  # no new id is given twice
    people = ["u1", "u2", "u3", "u4"]
    users = {user: p.user(f"login-{user}") for user in people}
    rosters = [p.roster(SECTION, people[:3]), p.roster(COURSE, {people[3]: "completed"}, p.TEACHER)]
    world = p.world(EMNE, COURSE, SECTION, rosters=rosters, users=users)
    new = {old: NewId(to, "user-id-changed") for old, to in ids.items()}

    snapshot = p.wants(EMNE, COURSE, SECTION, rosters=rosters, users=users, user_ids=new)
    after = world.after(p.plan(snapshot, world).changes)

    assert everybody(after) == {
        key: {(ids.get(user, user), member) for user, member in members} for key, members in everybody(world).items()
    }
    assert {user: after.has_user(user) for user in (*people, *ids.values())} == {
        **{user: user not in ids for user in people},
        **dict.fromkeys(ids.values(), True),
    }
