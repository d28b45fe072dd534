"""What moves out of an account, which history remembers: an account is not empty because nothing lies in it today."""

from __future__ import annotations

from collections.abc import Iterable

from rosterflow.domain.confirmed import ConfirmedObject, World
from rosterflow.domain.model import Account, CanvasObject, Course, Key, Kind, key_of
from rosterflow.store.history import MOVED_OUT, Event


def departures(before: World, now: Iterable[ConfirmedObject]) -> list[Event]:
    """One event for each course or account that moved out of an account: it is not one in which nothing ever lay."""
    return [
        Event(Key(Kind.ACCOUNT, left), MOVED_OUT, "", str(key_of(one.thing)))
        for one in now
        if (known := before.get(key_of(one.thing))) and (left := _account_of(known.thing)) != _account_of(one.thing)
    ]


def _account_of(thing: CanvasObject) -> str:
    match thing:
        case Account(parent=account) | Course(account=account):
            return account
        case _:
            return ""
