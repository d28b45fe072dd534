"""FS's people as typed rows: who exists, who may follow which teaching, who has which role where.

A person is named by personlopenummer everywhere (FS reference §4.8), by the node's id where FS does not say it; names
and addresses are in :class:`Person` alone. Places are named by natural keys, as in :mod:`rosterflow.domain.fs.rows`.
There may be a million of these rows, so they are structs that the garbage collector leaves alone.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar, NamedTuple

from msgspec import Struct

from rosterflow.domain.fs.rows import EmneKey, Stedkode, UeKey
from rosterflow.domain.model import SourceKind
from rosterflow.domain.windows import Semester


class UaKey(NamedTuple):
    """What identifies an undervisningsaktivitet."""

    ue: UeKey
    kode: str

    def __str__(self) -> str:
        return f"{self.ue} {self.kode}"


class ProgramKey(NamedTuple):
    """What identifies a study programme."""

    kode: str

    def __str__(self) -> str:
        return self.kode


class KullKey(NamedTuple):
    """What identifies a kull; ``semester`` is its start term."""

    program: str
    semester: Semester

    def __str__(self) -> str:
        return f"{self.program} {self.semester.arstall} {self.semester.betegnelse.kode}"


class KlasseKey(NamedTuple):
    """What identifies a klasse; its kode is unique in its kull only."""

    kull: KullKey
    kode: str

    def __str__(self) -> str:
        return f"{self.kull} {self.kode}"


class EvuKey(NamedTuple):
    """What identifies an EVU course."""

    kode: str
    tidsangivelse: str

    def __str__(self) -> str:
        return f"{self.kode} {self.tidsangivelse}"


Place = Stedkode | EmneKey | UeKey | UaKey | ProgramKey | KullKey | KlasseKey | EvuKey
"""Where somebody is. Keys of two kinds may be equal as tuples: :func:`kind_of` tells them apart."""

_KINDS: dict[type, SourceKind] = {
    Stedkode: SourceKind.ORGANISASJONSENHET,
    EmneKey: SourceKind.EMNE,
    UeKey: SourceKind.UNDERVISNINGSENHET,
    UaKey: SourceKind.UNDERVISNINGSAKTIVITET,
    ProgramKey: SourceKind.STUDIEPROGRAM,
    KullKey: SourceKind.KULL,
    KlasseKey: SourceKind.KLASSE,
    EvuKey: SourceKind.EVU_KURS,
}


def kind_of(place: Place) -> SourceKind:
    """The kind of row that a place is the key of."""
    return _KINDS[type(place)]


def subject_of(place: Place) -> str:
    """A place in FS's words, as the structure's rows have it in ``subject``."""
    return " ".join(place).strip() if isinstance(place, Stedkode | EmneKey) else str(place)


class Person(Struct, frozen=True, gc=False):
    """A personProfil.

    :param person: the key by which every other row names this person.
    :param feide_bruker: ``user@domain`` as FS has it, which may be in any case; ``None`` when there is none.
    :param er_dod: whether FS says that the person is dead.
    :param kan_overfores: whether the person may be in the LMS; ``None`` when FS does not say.
    """

    source: ClassVar[SourceKind] = SourceKind.BRUKER
    person: str
    feide_bruker: str | None
    fornavn: str | None
    etternavn: str | None
    epost: str | None
    er_dod: bool
    kan_overfores: bool | None

    @property
    def subject(self) -> str:
        """The person's key."""
        return self.person


class EmneRett(Struct, frozen=True, gc=False):
    """A student's right to follow the teaching of an UE (emneStudierett).

    :param partier: koder of the activities they are placed on, in this UE; ``None`` when FS does not say all of them:
        then nobody knows where else in the UE they are.
    :param kan_overfores: whether the student may be in the LMS; ``None`` when FS does not say.
    """

    source: ClassVar[SourceKind] = SourceKind.EMNESTUDIERETT
    person: str
    ue: UeKey
    partier: tuple[str, ...] | None
    kan_overfores: bool | None

    @property
    def subject(self) -> str:
        """``1234567 INF-1100 1 2026 HØST 1``."""
        return f"{self.person} {self.ue}"


class ProgramRett(Struct, frozen=True, gc=False):
    """An active right to study at a programme (programStudierett).

    :param kull: ``None`` when the student is in none.
    :param studentstatus: FS's code of it.
    :param gir_aktiv_studierett: whether that status makes the right an active one.
    """

    source: ClassVar[SourceKind] = SourceKind.PROGRAMSTUDIERETT
    person: str
    program: str
    kull: KullKey | None
    studentstatus: str | None
    gir_aktiv_studierett: bool | None
    kan_overfores: bool | None

    @property
    def subject(self) -> str:
        """``1234567 B-INF 2026 HØST``."""
        return f"{self.person} {self.kull or self.program}"


class KlasseMedlem(Struct, frozen=True, gc=False):
    """An active membership of a klasse (klassemedlemskap)."""

    source: ClassVar[SourceKind] = SourceKind.KLASSEMEDLEMSKAP
    person: str
    klasse: KlasseKey
    kan_overfores: bool | None

    @property
    def subject(self) -> str:
        """``1234567 B-INF 2026 HØST A``."""
        return f"{self.person} {self.klasse}"


class EvuDeltaker(Struct, frozen=True, gc=False):
    """An admitted participant of an EVU course (evuKursdeltakelse)."""

    source: ClassVar[SourceKind] = SourceKind.EVU_DELTAKELSE
    person: str
    kurs: EvuKey
    kan_overfores: bool | None

    @property
    def subject(self) -> str:
        """``1234567 94035B 2026-1``."""
        return f"{self.person} {self.kurs}"


class Rolle(Struct, frozen=True, gc=False):
    """A personrolle of any of its nine kinds but timeplan's (FS reference §4.7).

    :param fs_rolle: FS's code of the role, which is local to the institution.
    :param ims_rolle: the shared word for it (``INSTRUCTOR``), where FS has one.
    :param fra: first day, ``None`` when open; ``til`` is the last day.
    :param er_aktiv: whether FS counts the role as active today; ``None`` when it does not say. The period decides.
    :param er_fagperson: whether the person is staff today; ``None`` when FS does not say.
    :param kan_overfores: whether the member of staff may be in the LMS; ``None`` when FS does not say.
    """

    source: ClassVar[SourceKind] = SourceKind.PERSONROLLE
    person: str
    place: Place
    fs_rolle: str
    ims_rolle: str | None
    fra: date | None
    til: date | None
    er_aktiv: bool | None
    er_fagperson: bool | None
    kan_overfores: bool | None

    @property
    def on(self) -> SourceKind:
        """The kind of row that the role is on."""
        return kind_of(self.place)

    @property
    def subject(self) -> str:
        """``1234567 LÆRER INF-1100 1``."""
        return f"{self.person} {self.fs_rolle} {subject_of(self.place)}"


class UnknownPerson(Struct, frozen=True, gc=False):
    """Somebody is there, and FS does not say who: then nobody may be taken away from that place.

    The person of a row is null where the API user may not see it (FS reference §2.4), and a row may be unreadable.

    :param source: the kind of row that says so.
    :param fs_rolle: code of the role, when the row is a role whose person alone is unknown.
    """

    source: SourceKind
    place: Place
    fs_rolle: str | None = None

    @property
    def on(self) -> SourceKind:
        """The kind of row that the place is the key of."""
        return kind_of(self.place)

    @property
    def subject(self) -> str:
        """The place in FS's words, with a question mark for the person."""
        return f"? {subject_of(self.place)}"


PeopleRow = Person | EmneRett | ProgramRett | KlasseMedlem | EvuDeltaker | Rolle | UnknownPerson

LACKING_2023 = (
    ("brukere", "no users: nobody's login, name or reservation is known"),
    ("emneStudieretter", "no students in courses and sections"),
    ("klassemedlemskap", "no students in klasser"),
    ("programStudieretter", "no students in kull"),
    ("evuKursdeltakelser", "no participants of further education"),
    ("Personrolle.personProfil", "roles on study programmes name nobody; roles elsewhere are not seen at all"),
)
"""What of people the dialect of 2023 does not carry; one decision of each run says so."""
