"""Personal data in the store is sealed: encrypted with the key of the pages, opened only where it is needed."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Connection

from rosterflow.domain.errors import Code, FatalError

OPTION = "rosterflow_seal"
"""Name of the execution option under which a connection carries its seal."""


class Seal:
    """Seals texts and opens them.

    :param keys: Fernet keys, newest first: the first seals, any may open. Without one nothing can be sealed.
    :raises FatalError: ``page-key-invalid`` when one of them is no Fernet key.
    """

    def __init__(self, keys: Sequence[str] = ()) -> None:
        try:
            self._crypt = MultiFernet([Fernet(key) for key in keys]) if keys else None
        except ValueError:
            raise FatalError(Code.PAGE_KEY_INVALID, "A key of the store's seal is no Fernet key.") from None

    def close(self, data: bytes) -> str:
        """Seal bytes.

        :raises FatalError: ``page-key-invalid`` when there is no key.
        """
        return self._keys().encrypt(data).decode()

    def open(self, sealed: str) -> bytes:
        """The inverse of :meth:`close`.

        :raises FatalError: ``page-key-invalid`` when none of our keys opens it.
        """
        try:
            return self._keys().decrypt(sealed.encode())
        except InvalidToken:
            raise FatalError(Code.PAGE_KEY_INVALID, "None of the keys opens what the store has sealed.") from None

    def _keys(self) -> MultiFernet:
        if self._crypt is None:
            raise FatalError(Code.PAGE_KEY_INVALID, "The store was opened without a key for personal data.")
        return self._crypt


def seal_of(connection: Connection) -> Seal:
    """The seal that a connection's store was opened with."""
    seal: Seal = connection.get_execution_options().get(OPTION) or Seal()
    return seal


NO_SEAL = Seal()
"""For what is about nobody."""
