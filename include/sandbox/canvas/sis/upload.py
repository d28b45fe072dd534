"""What is in an upload: the CSV files of a zip or a single CSV, checked and told apart.

Source: reference/canvas.md §2.7 (sizes), §3.1 to §3.3 and §3.5.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.canvas.sis.kinds import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.canvas.sis.kinds import Kind

Row = dict[str, str | None]
"""A data row by lower-case column; what is blank is None."""

MAX_INFLATION = 100
MAX_ENTRIES = 100_000
MANY_DUPLICATES = 100

_IGNORED = re.compile(r"__macosx|desktop d[bf]", re.IGNORECASE)
_QUOTED_FIELD = re.compile(r'(?:(?<=[,\n\r])|\A)"[^"]*(?:""[^"]*)*"(?=[,\n\r]|\Z)')


class UnreadableUpload(Exception):
    """The upload as a whole cannot be opened."""


@dataclass(frozen=True, slots=True)
class Message:
    """Something about a whole file; a failure means that the file was not imported."""

    file: str
    text: str
    failure: bool


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A recognised file: its text as it will be imported and the number of data rows that are not blank."""

    name: str
    kind: Kind
    text: str
    rows: int


@dataclass(slots=True)
class Upload:
    """The recognised files, in the order of their names, and what was found wrong with the others."""

    files: list[CsvFile] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    csv_bodies: dict[str, bytes] = field(default_factory=dict)


def read_upload(filename: str, body: bytes) -> Upload:
    """Open a zip or a CSV; anything else is silently nothing. Raises UnreadableUpload for a bad zip."""
    upload = Upload()
    extension = filename.rpartition(".")[2].lower()
    if extension == "zip":
        for name, content in _members(body):
            _take(upload, name, content)
    elif extension == "csv":
        _take(upload, filename, body)
    return upload


def read_rows(file: CsvFile) -> Iterator[tuple[int, Row]]:
    """The data rows that are not blank, each with its row number; the header is row 1."""
    reader = _reader(file.text)
    columns = [cell.lower() for cell in next(reader)]
    for number, cells in enumerate(reader, 2):
        if any(map(str.strip, cells)):
            yield number, {name: cell.strip() or None for name, cell in zip(columns, cells, strict=False)}


def _members(body: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            entries = sorted((entry for entry in archive.infolist() if not entry.is_dir()), key=_path)
            if len(entries) > MAX_ENTRIES:
                raise UnreadableUpload(f"more than {MAX_ENTRIES} entries")
            if sum(entry.file_size for entry in entries) > MAX_INFLATION * len(body):
                raise UnreadableUpload(f"more than {MAX_INFLATION} times the size of the zip")
            for entry in entries:
                name = _path(entry)
                if not _IGNORED.search(name) and not name.rpartition("/")[2].startswith("."):
                    yield name, archive.read(entry)
    except zipfile.BadZipFile as error:
        raise UnreadableUpload("not a zip") from error


def _path(entry: zipfile.ZipInfo) -> str:
    return entry.filename


def _take(upload: Upload, name: str, content: bytes) -> None:
    if not name.lower().endswith(".csv"):
        upload.messages.append(Message(name, "Skipping unknown file type", failure=False))
        return
    if not content:
        return
    upload.csv_bodies[name] = content
    try:
        text = _without_many_duplicates(content.decode("utf-8-sig"))
        header, rows = _survey(text)
    except UnicodeDecodeError:
        upload.messages.append(Message(name, "Invalid UTF-8", failure=True))
        return
    except csv.Error:
        upload.messages.append(Message(name, "Malformed CSV", failure=True))
        return
    kind = kind_of(header)
    if kind is None:
        upload.messages.append(Message(name, "Couldn't find Canvas CSV import headers", failure=True))
    else:
        upload.files.append(CsvFile(name, kind, text, rows))


def _survey(text: str) -> tuple[list[str], int]:
    """The header and the number of data rows that are not blank; raises csv.Error for malformed quotes."""
    if '"' in text and '"' in _QUOTED_FIELD.sub("", text):
        raise csv.Error("a quote where none may be")
    reader = _reader(text)
    header = next(reader, [])
    return header, sum(any(map(str.strip, cells)) for cells in reader)


def _reader(text: str) -> Iterator[list[str]]:
    # From bytes: a StringIO would hold a long text at four bytes for each character.
    lines = io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8", newline="")
    return csv.reader(lines, strict=True)


def _without_many_duplicates(text: str) -> str:
    lines = text.splitlines(keepends=True)
    last = {line: number for number, line in enumerate(lines)}
    if len(lines) - len(last) < MANY_DUPLICATES:
        return text
    return "".join(lines[number] for number in sorted(last.values()))
