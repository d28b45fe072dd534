"""Whose users are whose where ids are made of logins, on both databases."""

from __future__ import annotations

from sqlalchemy import select

from rosterflow.store.engine import Store
from rosterflow.store.person_numbers import numbers_of, save
from rosterflow.store.tables import person_number


def saved(store: Store, *some: dict[str, str], institution: str = "fjord") -> None:
    for numbers in some:
        with store.begin() as connection:
            save(connection, institution, numbers)


def known(store: Store, *users: str, institution: str = "fjord") -> dict[str, str]:
    with store.begin() as connection:
        return numbers_of(connection, institution, users)


def test_whoever_was_sent_is_known_by_the_number(store: Store) -> None:
    saved(store, {"kari": "1", "ola": "2"}, {"eli": "3"}, {})

    assert known(store, "kari", "eli", "per") == {"kari": "1", "eli": "3"}
    assert known(store, "kari", institution="vik") == {}


def test_nobody_has_two_users(store: Store) -> None:
    saved(store, {"kari": "1", "ola": "2"}, {"nykari": "1"})

    assert known(store, "kari", "nykari", "ola") == {"nykari": "1", "ola": "2"}


def test_a_login_that_is_somebody_elses_now_is_theirs(store: Store) -> None:
    saved(store, {"kari": "1"}, {"kari": "2"})
    assert known(store, "kari") == {"kari": "2"}

    saved(store, {"kari": "1", "nykari": "2"})
    assert known(store, "kari", "nykari") == {"kari": "1", "nykari": "2"}


def test_no_login_is_kept_as_it_is(store: Store) -> None:
    saved(store, {"kari@fjord.example": "1"})

    with store.begin() as connection:
        (row,) = connection.execute(select(person_number))
    assert "kari" not in str(row)
