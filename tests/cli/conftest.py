"""A shell in which our commands run."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from rosterflow.cli.app import main


class Shell:
    """Runs commands in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self.code: int | str | None = None
        self.error = ""

    def __call__(self, *words: str) -> str:
        self._monkeypatch.setattr(sys, "argv", ["rosterflow", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        self.code = ended.value.code
        captured = self._capsys.readouterr()
        self.error = captured.err
        return captured.out

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json"))


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.setenv("COLUMNS", "300")
    return Shell(monkeypatch, capsys)
