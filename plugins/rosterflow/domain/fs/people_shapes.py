"""What FS answers the people operations with, as far as it is asked (the shapes of 2026).

msgspec puts a node into these in C, which is what makes a million of them affordable. A member is named as in FS, in
snake case.
"""

from __future__ import annotations

from msgspec import Struct


class Shape(Struct, rename="camel", gc=False):
    """An object of FS's; every member may be null, and members that are not named here are left out."""


class Betegnelse(Shape):
    """The name of a term."""

    kode: str | None = None


class Termin(Shape):
    """A term."""

    arstall: int | None = None
    betegnelse: Betegnelse | None = None


class Kode(Shape):
    """Anything of which only the kode is asked for."""

    kode: str | None = None


class Emne(Shape):
    """An emne's key."""

    kode: str | None = None
    versjonskode: str | None = None


class Kull(Shape):
    """A kull's key."""

    studieprogram: Kode | None = None
    termin_v2: Termin | None = None


class Klasse(Shape):
    """A klasse's key."""

    kode: str | None = None
    kull: Kull | None = None


class Kurs(Shape):
    """An EVU course's key."""

    kode: str | None = None
    tidsangivelseskode: str | None = None


class Ue(Shape):
    """An undervisningsenhet's key."""

    emne: Emne | None = None
    termin: Termin | None = None
    terminnummer: int | None = None


class Ua(Shape):
    """An undervisningsaktivitet's key."""

    kode: str | None = None
    undervisningsenhet: Ue | None = None


class Organisasjon(Shape):
    """Whose a unit is."""

    organisasjonskode: str | None = None


class Fakultet(Shape):
    """The faculty of a unit."""

    fakultetsnummer: str | None = None


class Enhet(Shape):
    """A unit's numbers."""

    organisasjon: Organisasjon | None = None
    fakultet: Fakultet | None = None
    instituttnummer: str | None = None
    gruppenummer: str | None = None


class Where(Ue):
    """Every member that may say where a row is; an emneStudierett says it as an UE does."""

    klasse: Klasse | None = None
    kull: Kull | None = None
    kurs: Kurs | None = None
    organisasjonsenhet: Enhet | None = None
    studieprogram: Kode | None = None
    undervisningsaktivitet: Ua | None = None
    undervisningsenhet: Ue | None = None


class Profil(Shape):
    """A person without a name."""

    id: str | None = None
    personlopenummer: str | None = None
    kan_overfores_til_lms: bool | None = None


class Student(Shape):
    """A student."""

    kan_overfores_til_lms: bool | None = None
    person_profil: Profil | None = None


class Fagperson(Shape):
    """A member of staff."""

    er_aktiv: bool | None = None
    kan_overfores_til_lms: bool | None = None


class Plassering(Shape):
    """A place on a party."""

    undervisningsaktivitet: Kode | None = None


class Periode(Shape):
    """From when to when."""

    fra_dato: str | None = None
    til_dato: str | None = None


class FsRolle(Shape):
    """What a role is."""

    kode: str | None = None
    ims_rolle: str | None = None


class Studentstatus(Shape):
    """What a right to study is worth."""

    kode: str | None = None
    gir_aktiv_studierett: bool | None = None


class Participation(Where):
    """Every member that a participation or a role may have."""

    er_aktiv: bool | None = None
    fagperson: Fagperson | None = None
    fs_rolle: FsRolle | None = None
    gyldighetsperiode: Periode | None = None
    person_profil: Profil | None = None
    student: Student | None = None
    student_ved_larested: Student | None = None
    studentstatus: Studentstatus | None = None
    undervisningsparti_plasseringer: list[Plassering | None] | None = None


class Navn(Shape):
    """A person's name."""

    fornavn: str | None = None
    etternavn: str | None = None


class Bruker(Profil):
    """A person with name and address."""

    feide_bruker: str | None = None
    navn: Navn | None = None
    institusjons_epost: str | None = None
    er_dod: bool | None = None
