"""What the mails about runs have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseNotifier, Context

from rosterflow.domain.coursekey.college import College
from rosterflow.domain.errors import FatalError
from rosterflow.domain.institution import Institution
from rosterflow.settings import environment, institutions_folder, is_college, load_college, load_institution


class InstitutionNotifier(BaseNotifier):
    """Tells somebody about a run of an institution.

    :param institution: its key; empty for a run that is about the whole installation.
    """

    template_fields: Sequence[str] = ()

    def __init__(self, institution: str = "") -> None:
        super().__init__()
        self.institution = institution

    def render_template_fields(self, context: Context, jinja_env: Any = None) -> None:
        """Nothing is a template: in a DAG's callback an undefined name would mean no mail at all."""

    def settings(self) -> Institution | College | None:
        """The institution's or college's settings; ``None`` when there are none that can be used."""
        if not self.institution:
            return None
        try:
            path = institutions_folder() / f"{self.institution}.yaml"
            return load_college(path) if is_college(path) else load_institution(path)
        except FatalError as error:
            self.log.warning("%s: %s", self.institution, error.message)
            return None

    def operators(self) -> tuple[str, ...]:
        """Who runs the installation; nobody when the environment does not say."""
        try:
            return environment().operators
        except FatalError as error:
            self.log.warning("%s", error.message)
            return ()
