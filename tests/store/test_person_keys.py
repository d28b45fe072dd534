"""What people are called where others may read it."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from rosterflow.domain.errors import FatalError
from rosterflow.store.engine import Store
from rosterflow.store.person_keys import are_numbered, shown_by
from tests.store.conftest import KEY


def called(store: Store, user: str, institution: str = "fjord") -> str:
    with store.begin() as connection:
        return shown_by(connection, institution)(user)


def opened_with(store: Store, *keys: str) -> Store:
    """The same store, opened with other keys."""
    return Store(store.engine.url.render_as_string(hide_password=False), keys)


def test_an_id_made_of_a_number_says_nothing_and_stands_as_it_is(store: Store) -> None:
    assert called(opened_with(store), "FS_184_1234567") == "FS_184_1234567"


@pytest.mark.parametrize("user", ["kari@fjord.example", "FS_184_kari", "", "FS_184_1 kari", "1234567"])
def test_any_other_id_is_an_opaque_key_always_the_same(store: Store, user: str) -> None:
    key = called(store, user)

    assert key.startswith("P-")
    assert len(key) == 18
    assert "kari" not in key
    assert called(store, user) == key


def test_people_have_keys_of_their_own_in_every_institution(store: Store) -> None:
    keys = {called(store, user, at) for user in ("kari", "ola") for at in ("fjord", "vik")}

    assert len(keys) == 4


def test_a_key_outlives_the_change_of_the_stores_own_key(store: Store) -> None:
    assert called(store, "kari") == called(opened_with(store, Fernet.generate_key().decode(), KEY), "kari")


def test_nobody_is_called_anything_without_the_stores_key(store: Store) -> None:
    with pytest.raises(FatalError, match="without a key"):
        called(opened_with(store), "kari")


def test_ids_of_a_roster_tell_nothing_only_when_none_does() -> None:
    assert are_numbered(["FS_184_1", "FS_184_2"])
    assert not are_numbered(["FS_184_1", "kari"])
