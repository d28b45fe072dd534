"""What things are called: SIS ids, names in the institution's languages, and the patterns they are put into.

Source: issue 2 §2.4 (ids, names) and FS reference §5 (language keys), §9 (SIS ids in use).
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass

from rosterflow.domain.fs.rows import EmneKey, Navn, Stedkode, UeKey
from rosterflow.domain.institution import Names
from rosterflow.domain.windows import Betegnelse, Semester

LONGEST_NAME = 255
"""Characters that Canvas keeps of the name of an account, a course or a section."""


def unpadded(number: str) -> str:
    """A number of an institution or unit without leading zeros; ``0`` when nothing is left."""
    return number.strip().lstrip("0") or "0"


@dataclass(frozen=True, slots=True)
class SisIds:
    """The SIS ids of one institution; codes enter them literally (they are trimmed and composed when they are read).

    :param institution: its number; leading zeros never reach an id.
    """

    institution: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "institution", unpadded(self.institution))

    def _join(self, prefix: str, *parts: str) -> str:
        return "_".join((prefix, self.institution, *parts))

    def unit(self, sted: Stedkode) -> str:
        """``184_12_0_0``: always four parts, 0 for a level that is not used."""
        return "_".join(map(unpadded, (sted.organisasjon or self.institution, *sted[1:])))

    def emne(self, emne: EmneKey) -> str:
        """``EMNE_184_INF-1100_1``."""
        return self._join("EMNE", *emne)

    def ue(self, emne: EmneKey, first: Semester) -> str:
        """``UE_184_INF-1100_1_2026_HØST_1``: a course keeps the id of its first term, whose number is 1."""
        return self._join("UE", *emne, first.sis_id, "1")

    def ua(self, ue: UeKey, kode: str) -> str:
        """``UA_184_INF-1100_1_2026_HØST_1_SEM-1``: by its own UE's year, term and term number."""
        return self._join("UA", *ue.emne, ue.semester.sis_id, str(ue.terminnummer), kode)

    def emne_lineage(self, emne: EmneKey) -> str:
        """The id of an emne's account without the versjonskode."""
        return self._join("EMNE", emne.kode)

    def ue_lineage(self, emne: EmneKey, first: Semester) -> str:
        """The id of a course without the versjonskode."""
        return self._join("UE", emne.kode, first.sis_id, "1")

    def ua_lineage(self, ue: UeKey, kode: str) -> str:
        """The id of an activity without the versjonskode."""
        return self._join("UA", ue.emne.kode, ue.semester.sis_id, str(ue.terminnummer), kode)

    def programme(self, kode: str) -> str:
        """``STUDIEPROGRAM_184_B-INF``."""
        return self._join("STUDIEPROGRAM", kode)

    def kull(self, program: str, start: Semester) -> str:
        """``KULL_184_B-INF_2026_HØST``."""
        return self._join("KULL", program, start.sis_id)

    def klasse(self, program: str, start: Semester, kode: str) -> str:
        """``KLASSE_184_B-INF_2026_HØST_A``."""
        return self._join("KLASSE", program, start.sis_id, kode)

    def evu(self, kode: str, tidsangivelse: str) -> str:
        """``EVU_184_94035B_2026-1``."""
        return self._join("EVU", kode, tidsangivelse)

    def user(self, personlopenummer: str) -> str:
        """``FS_184_1234567``."""
        return f"FS_{self.institution}_{personlopenummer}"


def clean(name: str) -> str:
    """A name fit for a column: composed form, single blanks, no control characters, at most 255 characters."""
    if name.isascii() and name.isprintable() and "  " not in name and len(name) <= LONGEST_NAME:
        return name.strip()  # nearly all
    if not name.isprintable():
        name = "".join(ch for ch in name if ch.isspace() or unicodedata.category(ch) not in {"Cc", "Cs"})
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    name = name.strip() if name.isprintable() and "  " not in name else " ".join(name.split())
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"


def choose(navn: Navn, languages: tuple[str, ...]) -> str:
    """The name in the first preferred language that has one, else in any other, ``""`` when there is none."""
    for language in (*languages, "und", "nb", "nn", "en"):
        text = getattr(navn, language)
        if text and (cleaned := clean(text)):
            return cleaned
    return ""


def render(template: str, **variables: str) -> str:
    """A pattern of the settings with its variables put in; a variable that the kind of row lacks is empty."""
    return clean(template.format_map(defaultdict(str, variables)))


def titled(template: str, kode: str, name: str, **variables: str) -> str:
    """A pattern with a row's kode and name; a row without a name is called by its kode, once."""
    fallback = "" if "{kode}" in template else kode
    return render(template, kode=kode, navn=name or fallback, **variables)


_TERM_NAMES = {
    "nb": {Betegnelse.VAR: "Vår", Betegnelse.SOM: "Sommer", Betegnelse.HOST: "Høst"},
    "nn": {Betegnelse.VAR: "Vår", Betegnelse.SOM: "Sommar", Betegnelse.HOST: "Haust"},
    "en": {Betegnelse.VAR: "Spring", Betegnelse.SOM: "Summer", Betegnelse.HOST: "Autumn"},
}


def term_name(semester: Semester, names: Names) -> str:
    """``Høst 2026`` in the institution's first language."""
    return f"{_TERM_NAMES[names.languages[0]][semester.betegnelse]} {semester.arstall}"


def term_short(semester: Semester) -> str:
    """``H26``, as Norwegian universities write it in every language."""
    return f"{semester.betegnelse.kode[0]}{semester.arstall % 100:02}"


def version_order(versjonskode: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that puts version ``10`` after version ``9``, and letters after numbers."""
    parts = (part for part in re.split(r"(\d+)", versjonskode) if part)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)
