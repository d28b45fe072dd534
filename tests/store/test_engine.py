"""Transactions, times, and what happens when the database goes away."""

from __future__ import annotations

import os
import signal
import threading
from datetime import UTC, datetime, timedelta, timezone
from multiprocessing import get_context

import pytest
import sqlalchemy
from sqlalchemy import insert, select, text

from demo.ports import free_port
from demo.postgres import Postgres
from rosterflow.domain.errors import Code, FatalError, RetryableError
from rosterflow.store.engine import Store
from rosterflow.store.tables import institution
from tests.store.things import NOW


def keys(store: Store) -> list[str]:
    with store.begin() as connection:
        return list(connection.execute(select(institution.c.key).order_by(institution.c.key)).scalars())


def write(connection: sqlalchemy.Connection, key: str) -> None:
    connection.execute(insert(institution).values(key=key, first_seen_at=NOW))


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.begin() as connection:
            write(connection, "north")
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert keys(store) == []


def test_times_come_back_as_the_same_instant_in_utc(store: Store) -> None:
    in_oslo = NOW.astimezone(timezone(timedelta(hours=2)))

    with store.begin() as connection:
        connection.execute(insert(institution).values(key="north", first_seen_at=in_oslo))
        found = connection.execute(select(institution.c.first_seen_at)).scalar_one()

    assert (found, found.tzinfo) == (NOW, UTC)


def test_a_time_without_its_zone_is_refused(store: Store) -> None:
    naive = datetime(2026, 9, 1)  # noqa: DTZ001 - the point

    with pytest.raises(sqlalchemy.exc.StatementError, match="without a time zone"), store.begin() as connection:
        connection.execute(insert(institution).values(key="north", first_seen_at=naive))


def test_a_second_writer_waits_for_the_first(store: Store) -> None:
    order: list[str] = []
    begun = threading.Event()

    def second() -> None:
        begun.wait()
        with store.begin() as connection:
            connection.execute(select(institution).where(institution.c.key == "north").with_for_update()).all()
            order.append("second")

    with store.begin() as connection:
        write(connection, "north")
    other = threading.Thread(target=second)
    other.start()
    with store.begin() as connection:
        connection.execute(select(institution).where(institution.c.key == "north").with_for_update()).all()
        begun.set()
        other.join(0.1)
        order.append("first")
    other.join()

    assert order == ["first", "second"]


def write_and_die(url: str) -> None:
    with Store(url).begin() as connection:
        write(connection, "north")
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_writer_leaves_nothing_and_blocks_nobody(store: Store) -> None:
    url = store.engine.url.render_as_string(hide_password=False)

    child = get_context("spawn").Process(target=write_and_die, args=(url,))
    child.start()
    child.join()

    assert child.exitcode == -signal.SIGKILL
    assert keys(store) == []
    with store.begin() as connection:
        write(connection, "north")
    assert keys(store) == ["north"]


def test_a_connection_that_the_server_cuts_can_be_tried_again(postgres: Postgres, on_postgres: Store) -> None:
    administrator = sqlalchemy.create_engine(postgres.url("postgres"), poolclass=sqlalchemy.NullPool)

    def be_cut() -> None:
        with on_postgres.begin() as connection:
            mine = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with administrator.connect() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})
            connection.execute(select(institution))

    with pytest.raises(RetryableError) as caught:
        be_cut()

    assert caught.value.code is Code.STORE_UNAVAILABLE
    assert keys(on_postgres) == []


def test_connections_that_were_cut_while_idle_are_replaced_unnoticed(postgres: Postgres, on_postgres: Store) -> None:
    keys(on_postgres)
    administrator = sqlalchemy.create_engine(postgres.url("postgres"), poolclass=sqlalchemy.NullPool)
    with administrator.connect() as other:
        other.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'rosterflow'"))

    assert keys(on_postgres) == []


def test_a_server_that_is_not_there_is_one_clear_sentence_without_the_password() -> None:
    store = Store(f"postgresql+psycopg2://rosterflow:secret-word@127.0.0.1:{free_port()}/rosterflow")

    with pytest.raises(RetryableError) as caught, store.begin():
        pass

    assert caught.value.message == "The store cannot be reached."
    assert "secret-word" not in f"{caught.value}{caught.value.__cause__}"


@pytest.mark.parametrize("url", ["", "nonsense", "oracle9://user:secret-word@host/db"])
def test_an_address_that_is_none_is_a_setting_to_correct(url: str) -> None:
    with pytest.raises(FatalError) as caught:
        Store(url)

    assert caught.value.message == "ROSTERFLOW_DATABASE_URL is no SQLAlchemy URL."
