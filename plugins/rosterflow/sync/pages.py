"""The page store: encrypted, compressed blobs in a folder or a bucket.

Pages of the source on their way between tasks, checkpoints of reads, and the zips that were sent to Canvas: what would
carry personal data into Airflow's database lies here instead (design §5, XCom). Any fsspec URL will do; a folder is the
default. Names look like paths (``xcom/<dag>/<run>/page_0001``).
"""

from __future__ import annotations

import gzip
import os
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec  # type: ignore[import-untyped]
import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from rosterflow.domain.errors import Code, FatalError

FAST = 1
"""gzip's level: pages shrink tenfold at any level, and a higher one costs more time than it saves room."""


class PageStore:
    """Blobs by name.

    :param url: folder or bucket, as an fsspec URL.
    :param keys: Fernet keys, newest first: the first encrypts, any may decrypt.
    :raises FatalError: ``page-key-invalid`` when there is no key, or one that is none.
    """

    def __init__(self, url: str, keys: Sequence[str]) -> None:
        self._files, self._root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        try:
            self._crypt = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise FatalError(Code.PAGE_KEY_INVALID, "A key of the page store is missing or is no Fernet key.") from None

    def put(self, name: str, value: Any) -> int:
        """Keep a JSON value, in place of what was there.

        :returns: its size as JSON, in bytes.
        """
        data = msgspec.json.encode(value)
        self.put_bytes(name, data)
        return len(data)

    def get(self, name: str) -> Any:
        """The JSON value of that name; raises as :meth:`get_bytes` does."""
        return msgspec.json.decode(self.get_bytes(name))

    def put_bytes(self, name: str, data: bytes) -> None:
        """Keep bytes, in place of what was there; a reader sees the old or the new, never a part."""
        self._write(self._path(name), self._crypt.encrypt(gzip.compress(data, FAST, mtime=0)))

    def get_bytes(self, name: str) -> bytes:
        """The bytes of that name.

        :raises FatalError: ``page-key-invalid`` when none of our keys opens it.
        :raises FatalError: ``rows-missing`` when there is none, or none any more.
        """
        try:
            return gzip.decompress(self._crypt.decrypt(self._read(name)))
        except InvalidToken:
            raise FatalError(Code.PAGE_KEY_INVALID, f"None of the page store's keys opens {name}.") from None

    def copy(self, name: str, to: str) -> None:
        """Keep a second copy under another name, without opening it."""
        self._write(self._path(to), self._read(name))

    def exists(self, name: str) -> bool:
        """Whether there is a blob of that name."""
        return bool(self._files.isfile(self._path(name)))

    def delete(self, name: str) -> None:
        """Forget a blob, or everything below a name; what is not there is no error."""
        path = self._path(name)
        if self._files.exists(path):
            self._files.rm(path, recursive=True)

    def sweep(self, below: str, older_than: datetime) -> int:
        """Forget every blob below a name that was last written before an aware moment.

        :returns: how many there were.
        """
        folder = self._path(below)
        if not self._files.exists(folder):
            return 0
        old = [path for path in self._files.find(folder) if _aware(self._files.modified(path)) < older_than]
        for path in old:
            self._files.rm_file(path)
        if isinstance(self._files, LocalFileSystem):
            _remove_empty_folders(Path(folder), older_than)
        return len(old)

    def _write(self, path: str, blob: bytes) -> None:
        if not isinstance(self._files, LocalFileSystem):
            self._files.pipe_file(path, blob)
            return
        part = Path(f"{path}.{uuid.uuid4().hex}.part")
        if not part.parent.exists():
            _make_private_folder(part.parent)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(blob)
        part.replace(path)

    def _read(self, name: str) -> bytes:
        try:
            blob: bytes = self._files.cat_file(self._path(name))
        except FileNotFoundError:
            message = f"The page store has no {name} (any more); clear the task that made it, too."
            raise FatalError(Code.ROWS_MISSING, message) from None
        return blob

    def _path(self, name: str) -> str:
        parts = PurePosixPath(name).parts
        if not parts or ".." in parts or parts[0] == "/":
            raise ValueError(f"{name!r} is no name in the page store")
        return "/".join((self._root.rstrip("/"), *parts))


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _make_private_folder(folder: Path) -> None:
    """Make a folder and those above it, each for us alone; those that exist are left as they are."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)


def _remove_empty_folders(top: Path, older_than: datetime) -> None:
    """Only old ones: a new one is about to be written to."""
    for path, _, _ in os.walk(top, topdown=False):
        folder = Path(path)
        is_old = datetime.fromtimestamp(folder.stat().st_mtime, UTC) < older_than
        if folder != top and is_old and not any(folder.iterdir()):
            folder.rmdir()
