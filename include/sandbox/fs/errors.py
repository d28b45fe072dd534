"""The one error whose words FS passes on to the client; any other is hidden behind a log id.

Source: FS reference, section 3.5.
"""

from __future__ import annotations


class IllegalArgumentError(ValueError):
    """A value the client sent that FS cannot use: an id, a cursor, a filter there is no data for."""
