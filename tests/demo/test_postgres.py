"""Our own PostgreSQL: `demo.postgres`, with a real server."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import sqlalchemy

from demo.errors import DemoError
from demo.postgres import Postgres
from demo.processes import Children
from demo.sessions import members


@pytest.fixture
def children() -> Iterator[Children]:
    with Children() as ours:
        yield ours


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    home = tmp_path_factory.mktemp("a path with spaces")
    with Children() as children, Postgres(children, home) as running:
        yield running


def query(server: Postgres, statement: str, database: str = "postgres") -> object:
    engine = sqlalchemy.create_engine(server.url(database), poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:
        result = connection.execute(sqlalchemy.text(statement))
        return result.scalar() if result.returns_rows else None


def server_pid(server: Postgres) -> int:
    return int((server.home / "private" / "data" / "postmaster.pid").read_text().splitlines()[0])


def test_it_has_the_databases_we_create(server: Postgres) -> None:
    server.create_database("airflow")

    assert query(server, "SELECT current_database()", "airflow") == "airflow"


def test_it_runs_as_an_unprivileged_account_on_data_nobody_else_can_read(server: Postgres) -> None:
    data = server.home / "private" / "data"
    process = psutil.Process(server_pid(server))

    assert process.uids().effective != 0
    assert (data.stat().st_uid, stat.S_IMODE(data.stat().st_mode)) == (process.uids().effective, 0o700)
    assert os.geteuid() in {0, process.uids().effective}


def test_it_listens_on_this_machine_alone_and_asks_for_the_password(server: Postgres) -> None:
    listening = {
        (socket.laddr.ip, socket.laddr.port)
        for socket in psutil.Process(server_pid(server)).net_connections()
        if socket.status == psutil.CONN_LISTEN
    }
    wrong = sqlalchemy.make_url(server.url("postgres")).set(password="wrong")

    with pytest.raises(sqlalchemy.exc.OperationalError, match="password authentication failed"):
        sqlalchemy.create_engine(wrong, poolclass=sqlalchemy.NullPool).connect()
    assert listening == {("127.0.0.1", server.port)}


def test_a_restart_keeps_the_data_and_the_address(server: Postgres) -> None:
    url = server.url("postgres")
    query(server, "CREATE TABLE before_restart AS SELECT 42 AS answer")

    server.stop()
    server.start()

    assert (query(server, "SELECT answer FROM before_restart"), server.url("postgres")) == (42, url)


def test_it_starts_again_after_having_been_killed(server: Postgres) -> None:
    query(server, "CREATE TABLE before_kill AS SELECT 42 AS answer")
    psutil.Process(server_pid(server)).kill()

    server.stop()
    server.start()

    assert query(server, "SELECT answer FROM before_kill") == 42


def test_a_lock_file_that_names_another_programs_pid_does_not_stop_it(server: Postgres) -> None:
    server.stop()
    lock = server.home / "private" / "data" / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n/elsewhere\n", encoding="utf-8")

    server.start()

    assert query(server, "SELECT 1") == 1


def test_a_server_left_behind_by_a_killed_run_is_ended(children: Children, tmp_path: Path) -> None:
    with Children() as killed_run:
        left_behind = Postgres(killed_run, tmp_path / "home")
        left_behind.start()
        pid = server_pid(left_behind)

        Postgres(children, tmp_path / "home").remove()

        assert members([pid]) == []
        assert not (tmp_path / "home" / "private").exists()


def test_nothing_is_left_when_the_block_ends(children: Children, tmp_path: Path) -> None:
    with Postgres(children, tmp_path / "home") as server:
        pid = server_pid(server)
        private = (server.home / "private").resolve()

    assert (members([pid]), private.exists()) == ([], False)


def test_a_database_that_exists_already_is_a_clear_error(server: Postgres) -> None:
    server.create_database("rosterflow")

    with pytest.raises(DemoError, match='the database rosterflow cannot be created: .*"rosterflow" already exists'):
        server.create_database("rosterflow")
