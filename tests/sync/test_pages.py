"""The page store: what is kept cannot be read without a key, and is gone when it should be."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from rosterflow.domain.errors import Code, FatalError
from rosterflow.sync.pages import PageStore

KEY, OTHER_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()
ROWS = [{"kode": "ØK-1100", "navn": "Økonomi og ærlighet"}, None]


@pytest.fixture
def store(tmp_path: Path) -> PageStore:
    return PageStore(str(tmp_path / "storage"), [KEY])


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_what_is_put_is_what_is_got(store: PageStore) -> None:
    size = store.put("xcom/run/page_0001", ROWS)

    assert store.get("xcom/run/page_0001") == ROWS
    assert size == len('[{"kode":"ØK-1100","navn":"Økonomi og ærlighet"},null]'.encode())


def test_bytes_are_kept_as_they_are(store: PageStore) -> None:
    store.put_bytes("zips/1.zip", b"PK\x03\x04\x00\xff")

    assert store.get_bytes("zips/1.zip") == b"PK\x03\x04\x00\xff"


def test_a_later_value_takes_the_place_of_the_earlier(store: PageStore, tmp_path: Path) -> None:
    store.put("page", [1])
    store.put("page", [2])

    assert store.get("page") == [2]
    assert [path.name for path in files_below(tmp_path)] == ["page"]


def test_nothing_readable_lies_on_disk(store: PageStore, tmp_path: Path) -> None:
    store.put("xcom/page_0001", ROWS * 100)

    [file] = files_below(tmp_path)
    assert b"kode" not in file.read_bytes()
    assert len(file.read_bytes()) < 1000


def test_only_we_may_look_into_the_folders_and_files(store: PageStore, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store.put("xcom/dag/page_0001", ROWS)
        store.copy("xcom/dag/page_0001", "other/page_0001")
    finally:
        os.umask(before)

    modes = {path.relative_to(tmp_path).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes == {
        "storage": 0o700,
        "storage/xcom": 0o700,
        "storage/xcom/dag": 0o700,
        "storage/xcom/dag/page_0001": 0o600,
        "storage/other": 0o700,
        "storage/other/page_0001": 0o600,
    }


def test_an_older_key_still_opens_and_the_newest_one_encrypts(tmp_path: Path) -> None:
    url = str(tmp_path)
    PageStore(url, [KEY]).put("old", ROWS)
    rotated = PageStore(url, [OTHER_KEY, KEY])

    rotated.put("new", ROWS)

    assert rotated.get("old") == ROWS
    assert PageStore(url, [OTHER_KEY]).get("new") == ROWS


def test_a_wrong_key_is_said_to_be_one(tmp_path: Path) -> None:
    PageStore(str(tmp_path), [KEY]).put("page", ROWS)

    with pytest.raises(FatalError) as caught:
        PageStore(str(tmp_path), [OTHER_KEY]).get("page")

    assert (caught.value.code, caught.value.message) == (
        Code.PAGE_KEY_INVALID,
        "None of the page store's keys opens page.",
    )


@pytest.mark.parametrize("keys", [[], ["no key"], [KEY, ""]])
def test_a_key_that_is_none_is_refused_at_once(keys: list[str], tmp_path: Path) -> None:
    with pytest.raises(FatalError) as caught:
        PageStore(str(tmp_path), keys)

    assert caught.value.code is Code.PAGE_KEY_INVALID
    assert "no key" not in caught.value.message


def test_a_page_whose_retention_is_over_is_said_to_be_gone(store: PageStore) -> None:
    with pytest.raises(FatalError) as caught:
        store.get("xcom/page_0001")

    assert caught.value.code is Code.ROWS_MISSING


def test_a_copy_lives_on_when_the_first_is_deleted_or_replaced(store: PageStore) -> None:
    store.put("checkpoints/a", ROWS)
    store.copy("checkpoints/a", "xcom/a")
    store.put("checkpoints/a", [])
    store.delete("checkpoints")

    assert (store.get("xcom/a"), store.exists("checkpoints/a")) == (ROWS, False)


def test_deleting_what_is_not_there_is_no_error(store: PageStore) -> None:
    store.delete("xcom/nothing")

    assert not store.exists("xcom/nothing")


@pytest.mark.parametrize("name", ["", "../secrets", "xcom/../../secrets", "/etc/passwd"])
def test_a_name_cannot_lead_out_of_the_store(name: str, store: PageStore) -> None:
    with pytest.raises(ValueError, match="is no name in the page store"):
        store.put(name, [])


def test_sweeping_forgets_what_is_old_below_a_name_and_folders_left_empty(store: PageStore, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    for name in ("xcom/old/page_0001", "xcom/new/page_0001", "zips/old.zip"):
        store.put(name, ROWS)
    long_ago = (now - timedelta(days=5)).timestamp()
    for name in ("xcom/old/page_0001", "zips/old.zip"):
        os.utime(tmp_path / "storage" / name, (long_ago, long_ago))
    os.utime(tmp_path / "storage/xcom/old", (long_ago, long_ago))

    gone = store.sweep("xcom", now - timedelta(days=3))

    assert gone == 1
    assert [store.exists(name) for name in ("xcom/old/page_0001", "xcom/new/page_0001", "zips/old.zip")] == [
        False,
        True,
        True,
    ]


def test_a_folder_that_was_swept_empty_is_removed_once_it_is_old_itself(store: PageStore, tmp_path: Path) -> None:
    store.put("xcom/run/page_0001", ROWS)
    later = datetime.now(UTC) + timedelta(seconds=5)

    store.sweep("xcom", later)

    assert [path.name for path in (tmp_path / "storage").rglob("*")] == ["xcom"]


def test_sweeping_a_store_that_was_never_written_to_is_no_error(store: PageStore) -> None:
    assert store.sweep("xcom", datetime.now(UTC)) == 0


def test_any_fsspec_url_will_do() -> None:
    store = PageStore("memory://rosterflow-tests/pages", [KEY])
    store.put("xcom/a", ROWS)
    store.copy("xcom/a", "xcom/b")
    store.delete("xcom/a")

    assert (store.get("xcom/b"), store.exists("xcom/a")) == (ROWS, False)
    assert store.sweep("xcom", datetime.now(UTC) + timedelta(seconds=1)) == 1
