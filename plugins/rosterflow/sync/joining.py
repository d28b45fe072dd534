"""Canvas's messages about an import, joined to the rows that we sent (Canvas contract §2.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rosterflow.hooks.canvas_records import ImportMessage, SisImport
from rosterflow.store.imports import StoredImport


@dataclass(slots=True)
class Words:
    """What Canvas said.

    :param objects: by ``seq`` of the change.
    :param people: by ``seq`` of the change and by the user.
    :param stray: whether something was said about no row of ours.
    """

    objects: dict[int, str] = field(default_factory=dict)
    people: dict[int, dict[str, str]] = field(default_factory=dict)
    stray: bool = False

    @property
    def refused_people(self) -> int:
        """How many rows about people Canvas did not take."""
        return sum(map(len, self.people.values()))


def words_about(one: StoredImport, messages: Iterable[ImportMessage]) -> Words:
    """Which of our rows Canvas's messages are about."""
    words = Words()
    for message in messages:
        seqs, users = one.rows.get(message.file, ()), one.users.get(message.file)
        at = (message.row or 0) - 2
        if not 0 <= at < len(seqs):
            words.stray = True
        elif users:
            words.people.setdefault(seqs[at], {})[users[at]] = message.message
        else:
            words.objects[seqs[at]] = message.message
    return words


def adds_up(one: StoredImport, ended: SisImport, words: Words) -> bool:
    """Whether Canvas counts as many successes as it should: rows it neither counted nor mentioned are unknown."""
    silent = {name: _silent(seqs, one.users.get(name), words) for name, seqs in one.rows.items()}
    return all(ended.counts.get(one.counted_as[name], 0) >= count for name, count in silent.items())


def _silent(seqs: Sequence[int], users: Sequence[str] | None, words: Words) -> int:
    if not words.objects and not words.people:
        return len(seqs)
    if not users:
        return sum(seq not in words.objects for seq in seqs)
    nobody: Mapping[str, str] = {}
    return sum(user not in words.people.get(seq, nobody) for seq, user in zip(seqs, users, strict=True))
