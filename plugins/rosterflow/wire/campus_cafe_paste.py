"""Campus Cafe's own settings, as a person copies them from its screens into a text file.

Lines of four kinds, in any order; columns are divided by tabs, by pipes, or by two and more blanks::

    COURSEKEY_NO_ATTENDANCE_SESSION_SYNC | Flexible Lab|Blended Capstone |      Web App Config: parameter, value
    CRSKEYAUTH   1   1   <auth key>||US/Eastern                                 Custom Control: sequence, number, value
    CRSKEYAUTH   1-2     548156||MAIN
    RCCONO       MAIN    Main Campus                                            STParm: code, description
    RGENCD       INT     4:Internship

A line of one word (``RGENCD``) stands before lines that lack it. Between tabs a heading with ``Parameter`` and
``Value`` says which columns these are, in whatever order; without one they are the first two. Source: source document,
the three configuration sections; reference coursekey §4 (CRSKEYAUTH, RCCONO, RGENCD). No message names a value: it may
be an auth key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

HEADINGS = ("CRSKEYAUTH", "RCCONO", "RGENCD")
_COLUMN = re.compile(r"\t|\s*\|\s*|\s{2,}")
_TABLE_HEAD = re.compile(r"parameter( code| value)?s?\s*(\||\t|\s{2}|$)", re.IGNORECASE)
_OTHER_HEAD = re.compile(
    r"((parameter )?(code|value)s?\s*(\||\t|\s{2}).*descr.*|seq\w*\s*#?\s*(\||\t|\s{2}).*)", re.IGNORECASE
)
_CONTROL = re.compile(
    r"""[\s|:,#]* (?:seq\w*)? [\s|:,#]* (\d+)              # sequence
        [\s|:,-]+ (?:param\w*)? \s* (?:value)? [\s#]* (\d+)  # number of the parameter value
        (?: \s*[|:=]\s* | \s+ ) (\S.*)                    # the value itself""",
    re.IGNORECASE | re.VERBOSE,
)


class _Head(NamedTuple):
    """Which columns between tabs hold a parameter and its value."""

    parameter: int
    value: int


class AuthPair(NamedTuple):
    """One pair of CRSKEYAUTH; the key is a secret."""

    alias: str
    key: str
    timezone: str
    school: str
    site: str

    def __repr__(self) -> str:
        """Without the key."""
        return f"AuthPair({self.alias!r})"


@dataclass
class Pasted:
    """What a file says.

    :param parameters: values by parameter, as they were written.
    :param controls: Parameter Values of CRSKEYAUTH by sequence and number; they hold the auth keys.
    :param problems: what cannot be used, one sentence each.
    """

    parameters: dict[str, str] = field(default_factory=dict)
    controls: dict[tuple[int, int], str] = field(default_factory=dict, repr=False)
    rccono: dict[str, str] = field(default_factory=dict)
    rgencd: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_paste(text: str) -> Pasted:
    """Read a file; what is not understood, or said twice, is a problem."""
    pasted = Pasted()
    heading, head = "", None
    for number, written in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        if found := _head(written):
            head = found
            continue
        line = _without_frame(_in_order(written, head))
        if line.rstrip(":") in HEADINGS:
            heading = line.rstrip(":")
        elif _TABLE_HEAD.match(line):
            if "\t" not in line and len(_COLUMN.split(line)) > 2:
                pasted.problems.append(
                    f"line {number}: only parameter and value can be told apart; leave the others out"
                )
        elif line and not _says_nothing(line) and not _OTHER_HEAD.fullmatch(line):
            if not line.startswith(("COURSEKEY_", *HEADINGS)) and heading:
                line = f"{heading}\t{line}"
            if problem := _take(line, pasted):
                pasted.problems.append(f"line {number}: {problem}")
    return pasted


def _head(line: str) -> _Head | None:
    cells = [cell.strip().casefold() for cell in line.split("\t")]
    parameter = [at for at, cell in enumerate(cells) if cell in ("parameter", "parameters", "parameter code")]
    value = [at for at, cell in enumerate(cells) if cell in ("value", "values", "parameter value")]
    return _Head(parameter[0], value[0]) if parameter and value else None


def _in_order(line: str, head: _Head | None) -> str:
    """A line of the parameters' table with the parameter and its value alone; any other as it is."""
    cells = line.split("\t")
    if head is None or len(cells) <= max(head) or not cells[head.parameter].strip().startswith("COURSEKEY_"):
        return line
    return f"{cells[head.parameter].strip()}\t{cells[head.value].strip()}"


def _without_frame(line: str) -> str:
    """A line without the borders of its table."""
    line = line.strip(" \r")
    if line.startswith("|"):
        line = line[1:].lstrip(" ")
    return re.sub(r"\s+\|$", "", line).strip()


def _says_nothing(line: str) -> bool:
    """A comment, or the rule below the head of a table."""
    return line.startswith("#") or bool(re.fullmatch(r"[-|:\s]+", line))


def _take(line: str, pasted: Pasted) -> str | None:
    """Put what a line says where it belongs; what is wrong with it otherwise."""
    if line.startswith("COURSEKEY_"):
        return _take_parameter(line, pasted)
    if line.startswith("CRSKEYAUTH"):
        return _take_control(line, pasted)
    for heading, codes in (("RCCONO", pasted.rccono), ("RGENCD", pasted.rgencd)):
        if line.startswith(heading):
            return _take_code(line.removeprefix(heading), heading, codes)
    return f"begins with none of COURSEKEY_…, {', '.join(HEADINGS)}, nor stands below one of these"


def _take_parameter(line: str, pasted: Pasted) -> str | None:
    """All that follows the first division is the value, pipes and all; but after a tab only up to the next one."""
    name, *rest = _COLUMN.split(line, maxsplit=1)
    if not re.fullmatch("COURSEKEY_[A-Z_]+", name):
        return "is no parameter and value, divided by a tab, a pipe or two blanks"
    if name in pasted.parameters:
        return f"{name} is given twice"
    value = rest[0] if rest else ""
    pasted.parameters[name] = (value.split("\t")[0] if "\t" in line else value).strip()
    return None


def _take_control(line: str, pasted: Pasted) -> str | None:
    found = _CONTROL.fullmatch(line.removeprefix("CRSKEYAUTH"))
    if not found:
        return "CRSKEYAUTH needs a sequence, a number from 1 to 10 and a value"
    place = int(found[1]), int(found[2])
    if not 1 <= place[1] <= 10:
        return f"CRSKEYAUTH has parameter values 1 to 10, not {place[1]}"
    if place in pasted.controls:
        return f"CRSKEYAUTH sequence {place[0]}, value {place[1]} is given twice"
    pasted.controls[place] = found[3].strip()
    return None


def _take_code(rest: str, heading: str, codes: dict[str, str]) -> str | None:
    columns = [column.strip() for column in _COLUMN.split(rest.strip(" \t|"))]
    if len(columns) == 1:
        columns = columns[0].split(maxsplit=1)
    if not columns or not columns[0]:
        return f"{heading} needs a code and a description"
    if columns[0] in codes:
        return f"{heading} has the code {columns[0]!r} twice"
    codes[columns[0]] = columns[1] if len(columns) > 1 else ""
    return None


def auth_pairs(controls: Mapping[tuple[int, int], str]) -> tuple[list[AuthPair], list[str]]:
    """The pairs of CRSKEYAUTH: an odd value is ``key||time zone``, the next one ``school||course site``.

    The key ends at the last double pipe, since it may hold pipes itself; the school at the first.

    :returns: the complete pairs in order, and what is wrong with the others.
    """
    pairs: list[AuthPair] = []
    problems: list[str] = []
    for sequence, first in sorted({(sequence, (number - 1) // 2 * 2 + 1) for sequence, number in controls}):
        found = list(_halves(controls, sequence, first))
        if wrong := [half for half in found if isinstance(half, str)]:
            problems += [f"CRSKEYAUTH sequence {sequence}, {half}" for half in wrong]
        else:
            (key, timezone), (school, site) = (half for half in found if not isinstance(half, str))
            pairs.append(AuthPair(f"{sequence}-{(first + 1) // 2}", key, timezone, school, site))
    return pairs, problems


def _halves(controls: Mapping[tuple[int, int], str], sequence: int, first: int) -> Iterator[tuple[str, str] | str]:
    """Both halves of a pair, or what is wrong with each."""
    for number, meaning in ((first, "auth key||time zone"), (first + 1, "school ID||course site")):
        value = controls.get((sequence, number))
        if value is None:
            yield f"value {number}: is missing ({meaning})"
            continue
        left, pipes, right = value.rpartition("||") if number == first else value.partition("||")
        if not pipes:
            yield f"value {number}: has no double pipe ({meaning})"
        elif not left.strip() or (number > first and not right.strip()):
            yield f"value {number}: lacks a half ({meaning})"
        else:
            yield left.strip(), right.strip()
