"""Tolerant reading of one JSON node: loose scalars are taken, anything else is :class:`Malformed` with its path.

FS clients report scalars whose type varies and fields that are always null (FS reference §6), so a number may come as
text and a flag as J or N. An empty text is no value.
"""

from __future__ import annotations

import unicodedata
from datetime import date

from rosterflow.domain.fs.rows import Navn
from rosterflow.domain.windows import Betegnelse, Semester

Node = dict[str, object]

OPEN_YEAR = 9999
_FIRST_YEAR = 1900
_MOST_TERMS = 99


class Malformed(Exception):
    """A field cannot be used.

    :param path: the field, from the row down (``termin.betegnelse.kode``).
    :param why: what is wrong with it, as the end of a sentence.
    """

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path} {why}")
        self.path = path
        self.why = why


def get(node: Node, path: str) -> object:
    """The value at a dotted path, ``None`` when it or anything on the way is null or absent.

    :raises Malformed: when something on the way is no object.
    """
    if "." not in path:
        return node.get(path)
    value: object = node
    for name in path.split("."):
        if value is None:
            return None
        if not isinstance(value, dict):
            raise Malformed(path, "does not lie in an object")
        value = value.get(name)
    return value


def text(node: Node, path: str) -> str | None:
    """A code: trimmed, in composed form, ``None`` when it is null or empty.

    :raises Malformed: when it is no scalar, or holds control characters that no id can carry.
    """
    value = get(node, path)
    if value is None:
        return None
    if isinstance(value, str):
        if value.isascii() and value.isprintable():  # nearly all of a hundred thousand codes
            return value.strip() or None
    else:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Malformed(path, "is no text")
        value = str(value)
    code = value.strip()
    if not code.isascii():
        code = unicodedata.normalize("NFC", code)
    if not code.isprintable() and any(unicodedata.category(ch) in {"Cc", "Cs"} for ch in code):
        raise Malformed(path, "holds control characters")
    return code or None


def needed(node: Node, path: str) -> str:
    """A code that the row cannot be without.

    :raises Malformed: also when it is null or empty.
    """
    value = text(node, path)
    if value is None:
        raise Malformed(path, "is missing")
    return value


def kode_of(node: Node, name: str) -> str | None:
    """The kode of a row that this one refers to, ``None`` when it refers to none.

    :raises Malformed: when it refers to one whose kode is null: nobody knows which.
    """
    return None if node.get(name) is None else needed(node, f"{name}.kode")


def number(node: Node, path: str) -> int:
    """A whole number that the row cannot be without, also when it comes as text.

    :raises Malformed: when it is null or no whole number.
    """
    value = needed(node, path).removesuffix(".0")
    if not value.isdecimal():
        raise Malformed(path, "is no whole number")
    return int(value)


def flag(node: Node, path: str) -> bool:
    """A flag: not selected counts as true (the query filtered on it).

    :raises Malformed: when it is neither true nor false, or null: that is unknown, never no (FS reference §2.4).
    """
    if path not in node:
        return True
    value = node[path]
    if value is True or value is False:
        return value
    if value is None:
        raise Malformed(path, "is null")
    known = _FLAGS.get(str(value).strip().lower())
    if known is None:
        raise Malformed(path, "is neither true nor false")
    return known


_FLAGS = {"true": True, "j": True, "1": True, "false": False, "n": False, "0": False}


def day(node: Node, path: str) -> date | None:
    """A date; a time behind it is cut off, and the year 9999 is an open end.

    :raises Malformed: when it is no date.
    """
    value = text(node, path)
    if value is None:
        return None
    try:
        found = date.fromisoformat(value[:10])
    except ValueError:
        raise Malformed(path, "is no date") from None
    if found.year < _FIRST_YEAR:
        raise Malformed(path, "is too long ago")
    return found if found.year < OPEN_YEAR else None


def terminnummer(node: Node) -> int:
    """Which term of a course over several it is, from 1.

    :raises Malformed: when it is missing, or above 99.
    """
    value = number(node, "terminnummer")
    if not 1 <= value <= _MOST_TERMS:
        raise Malformed("terminnummer", f"is not between 1 and {_MOST_TERMS}")
    return value


def semester(node: Node, path: str, kode: str = "betegnelse.kode") -> Semester:
    """A term (``arstall`` and the code of its ``betegnelse``).

    :raises Malformed: when a part is missing or is no term.
    """
    return Semester(year(node, f"{path}.arstall"), betegnelse(node, f"{path}.{kode}"))


def year(node: Node, path: str) -> int:
    """A year that the row cannot be without.

    :raises Malformed: when it is missing or cannot be the year of a term.
    """
    value = number(node, path)
    if not _FIRST_YEAR <= value < OPEN_YEAR:
        raise Malformed(path, "is no year")
    return value


def betegnelse(node: Node, path: str) -> Betegnelse:
    """The code of a term, in any of FS's spellings.

    :raises Malformed: when it is missing or none of the three terms.
    """
    try:
        return Betegnelse.of(needed(node, path))
    except ValueError:
        raise Malformed(path, "is no term") from None


def navn(node: Node, path: str = "navnAlleSprak") -> Navn:
    """A name under any of the language keys FS has used (FS reference §7.7).

    :raises Malformed: when it is no object, or one of its names is no text.
    """
    names = get(node, path)
    if names is None:
        return Navn()
    if not isinstance(names, dict):
        raise Malformed(path, "is no object of languages")
    found: dict[str, str] = {}
    for key, name in names.items():
        if name and (language := _LANGUAGES.get(key)):
            if not isinstance(name, str):
                raise Malformed(f"{path}.{key}", "is no text")
            found.setdefault(language, name)
    return Navn(**found)


_LANGUAGES = {"nb": "nb", "nob": "nb", "no": "nb", "nn": "nn", "nno": "nn", "en": "en", "eng": "en", "und": "und"}
