"""Canvas's words about a row of a person, without what they say of the person."""

from __future__ import annotations

import re
from collections.abc import Iterable

LEFT_OUT = "…"


def template_of(words: str, values: Iterable[str]) -> str:
    """The words with every value that the row had, and all that Canvas quotes, left out.

    :param values: what the row had beside ids: login, names, e-mail.
    """
    for value in sorted(filter(None, values), key=len, reverse=True):
        words = re.sub(re.escape(value), LEFT_OUT, words, flags=re.IGNORECASE)
    return re.sub(r"""(['"])[^'"]*\1""", rf"\1{LEFT_OUT}\1", words)
