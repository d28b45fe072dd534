"""The XCom backend: pages of the source, and all that is large, go encrypted to the page store.

Airflow's database then holds only a reference, and its UI shows only that. Switched on for the whole installation with
``AIRFLOW__CORE__XCOM_BACKEND=rosterflow.xcom.EncryptedPages``. Which other values are large is said, as for the backend
it extends, by ``AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_THRESHOLD`` (bytes as JSON; by default none are).
Source: Airflow findings §2; ``airflow.providers.common.io.xcom.backend``.
"""

from __future__ import annotations

import json
from collections import UserList
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote

import msgspec
from airflow.providers.common.io.xcom.backend import SECTION, XComObjectStorageBackend
from airflow.sdk.bases.xcom import BaseXCom
from airflow.sdk.configuration import conf
from airflow.sdk.execution_time.comms import XComResult
from airflow.utils.json import XComDecoder, XComEncoder

from rosterflow.settings import environment
from rosterflow.sync.pages import PageStore

PAGE_KEY = "page_"
PAGE = "rosterflow-page:"
VALUE = "rosterflow-value:"
"""How a reference begins: a page is plain JSON, another value is in Airflow's own encoding."""


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A page that is in the page store already; pushing this copies it there, without opening it."""

    name: str


class PulledPage(UserList[Any]):
    """The rows of a page, taken apart when they are first looked at.

    :ivar text: the page as JSON, for those who can make more of it than dictionaries.
    """

    def __init__(self, text: bytes) -> None:
        self.text = text

    def __getattr__(self, name: str) -> list[Any]:
        # The list itself is all that the base class looks for; until then there is none.
        if name != "data":
            raise AttributeError(name)
        rows: list[Any] = msgspec.json.decode(self.text)
        self.data = rows
        return rows


class EncryptedPages(XComObjectStorageBackend):
    """Keeps XComs whose key begins with ``page_``, and large ones, in the page store."""

    @staticmethod
    def serialize_value(
        value: Any,
        *,
        key: str | None = None,
        task_id: str | None = None,
        dag_id: str | None = None,
        run_id: str | None = None,
        map_index: int | None = None,
    ) -> Any:
        """What Airflow's database gets: the value itself, or a reference to the page store."""
        name = blob_name(dag_id, run_id, task_id, map_index, key)
        if isinstance(value, StoredPage):
            page_store().copy(value.name, name)
            return BaseXCom.serialize_value(f"{PAGE}{name}")
        if (key or "").startswith(PAGE_KEY):
            page_store().put(name, value)
            return BaseXCom.serialize_value(f"{PAGE}{name}")
        threshold = conf.getint(SECTION, "xcom_objectstorage_threshold", fallback=-1)
        if threshold >= 0:
            data = json.dumps(value, cls=XComEncoder).encode()
            if len(data) >= threshold:
                page_store().put_bytes(name, data)
                return BaseXCom.serialize_value(f"{VALUE}{name}")
        return BaseXCom.serialize_value(value)

    @staticmethod
    def deserialize_value(result: Any) -> Any:
        """The value itself, fetched from the page store when the database holds a reference.

        :raises FatalError: ``page-key-invalid``, or ``rows-missing`` when its retention is over.
        """
        value = BaseXCom.deserialize_value(result)
        if not isinstance(value, str):
            return value
        if value.startswith(PAGE):
            return PulledPage(page_store().get_bytes(value.removeprefix(PAGE)))
        if value.startswith(VALUE):
            return json.loads(page_store().get_bytes(value.removeprefix(VALUE)), cls=XComDecoder)
        return value

    @staticmethod
    def purge(xcom: XComResult, *_: object) -> None:
        """Forget the blob of an XCom that is being deleted."""
        value = BaseXCom.deserialize_value(xcom)
        if isinstance(value, str):
            for prefix in (PAGE, VALUE):
                if value.startswith(prefix):
                    page_store().delete(value.removeprefix(prefix))


def page_store() -> PageStore:
    """The installation's page store.

    :raises FatalError: ``settings-invalid`` when the environment does not say where it is.
    """
    here = environment()
    return _opened(here.storage_url, here.page_keys)


@cache
def _opened(url: str, keys: tuple[str, ...]) -> PageStore:
    return PageStore(url, keys)


def blob_name(
    dag_id: str | None, run_id: str | None, task_id: str | None, map_index: int | None, key: str | None
) -> str:
    """The name in the page store of an XCom's value; a task that is not mapped has the index -1."""
    parts = (quote(str(part), safe="=") for part in (dag_id, run_id, task_id, map_index, key))
    return "/".join(("xcom", *parts))
