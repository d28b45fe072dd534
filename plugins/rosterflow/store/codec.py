"""Canvas objects as JSON texts in the store, and back."""

from __future__ import annotations

import msgspec

from rosterflow.domain.model import TYPES, CanvasObject

_encoded = msgspec.json.Encoder().encode
_DECODERS = {str(kind): msgspec.json.Decoder(made) for kind, made in TYPES.items()}


def text_of(thing: CanvasObject) -> str:
    """A whole object, its origin too, by the names of its fields; its kind is kept beside it."""
    return _encoded(thing).decode()


def from_text(kind: str, text: str) -> CanvasObject:
    """The inverse of :func:`text_of`.

    :raises msgspec.ValidationError: when the text is no object of that kind.
    """
    return _DECODERS[kind].decode(text)
