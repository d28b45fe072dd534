"""The awkward rows that real institutions have, a few of each, the same in every university (FS reference, 13.9).

Each function adds one family and says in its first line what is awkward about it. Codes are chosen so that no generated
row has them.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sandbox.university.model import (
    Emne,
    EvuKurs,
    Klasse,
    Kull,
    Navn,
    Niva,
    Organisasjonsenhet,
    Periode,
    Semester,
    Studieprogram,
    Terminkode,
    Undervisningsaktivitet,
    Undervisningsenhet,
    University,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

UNKNOWN_ROOM_CODE = "prøverom"


def add(university: University) -> None:
    """Add every awkward row to a university that has its units."""
    _units(university)
    _codes(university)
    _names(university)
    _owners(university)
    _versions_and_chains(university)
    _followers(university)
    _activities(university)
    _rows_past_a_nested_page(university)
    _service_numbers(university)
    _old_and_summer_teaching(university)
    _hidden_programmes(university)
    _many_kull(university)
    _klasser_of_one_code(university)
    _evu(university)


def _units(university: University) -> None:
    """An exported unit below one that is not; a unit that closed; a unit without any name."""
    faculty = next(unit for unit in university.enheter if unit.niva is Niva.FAKULTET)
    number = faculty.fakultetsnummer
    hidden = Organisasjonsenhet(
        number, 80, 0, Navn("Prosjektkontoret"), Niva.INSTITUTT, faculty, skal_eksporteres=False
    )
    orphan = Organisasjonsenhet(number, 80, 1, Navn("Prosjektgruppe nord"), Niva.GRUPPE, hidden)
    closed = Organisasjonsenhet(number, 90, 0, Navn("Nedlagt institutt"), Niva.INSTITUTT, faculty, er_aktiv=False)
    nameless = Organisasjonsenhet(number, 85, 0, Navn(None), Niva.INSTITUTT, faculty)
    university.enheter += [hidden, orphan, closed, nameless]


def _emne(university: University, kode: str, navn: Navn | str, versjonskode: str = "1") -> Emne:
    """Add an emne at the first institute, without teaching."""
    owner = next(unit for unit in university.enheter if unit.niva is Niva.INSTITUTT)
    emne = Emne(kode, versjonskode, Navn(navn) if isinstance(navn, str) else navn, owner)
    university.emner.append(emne)
    return emne


def _teach(emne: Emne, semester: Semester, terminnummer: int = 1, *, exported: bool = True) -> Undervisningsenhet:
    ue = Undervisningsenhet(emne, semester, terminnummer, skal_eksporteres=exported)
    emne.undervisningsenheter.append(ue)
    return ue


def _activity(
    ue: Undervisningsenhet,
    kode: str,
    parent: Undervisningsaktivitet | None = None,
    romkode: str | None = None,
    *,
    exported: bool = True,
) -> Undervisningsaktivitet:
    number = None if parent is None else str(1 + sum(other.parent is parent for other in ue.aktiviteter))
    activity = Undervisningsaktivitet(
        ue, kode, Navn(f"Gruppe {kode}", None, f"Group {kode}"), "SEM", parent, number, romkode, exported
    )
    ue.aktiviteter.append(activity)
    return activity


def _unit(university: University, instituttnummer: int, gruppenummer: int = 0) -> Organisasjonsenhet:
    return next(
        unit
        for unit in university.enheter
        if (unit.instituttnummer, unit.gruppenummer) == (instituttnummer, gruppenummer)
    )


def _codes(university: University) -> None:
    """Codes with a space, a slash, an underscore, a hyphen after a digit and Norwegian letters."""
    for kode in ("LMS TESTEMNE", "MUS/UTØ 2", "DATA_101", "ÅPN100", "0-5"):
        ue = _teach(
            _emne(university, kode, Navn(f"Emnet {kode}", f"Emnet {kode}", f"Course {kode}")), university.semester
        )
        _activity(ue, "GR_1")


def _names(university: University) -> None:
    """Names in nynorsk only, in English only, with blanks around them, and none at all."""
    for kode, navn in (
        ("NAVN-NN", Navn(None, "Nynorsk i praksis")),
        ("NAVN-EN", Navn(None, None, "Academic Writing")),
        ("NAVN-ROM", Navn("  Tekst og  kontekst ", "", "Text and Context")),
        ("NAVN-0", Navn(None)),
    ):
        _teach(_emne(university, kode, navn), university.semester)


def _owners(university: University) -> None:
    """No study-responsible unit; none at all; a unit that is not exported, its orphan, one that closed."""
    owned: Iterable[tuple[str, Organisasjonsenhet | None, Organisasjonsenhet | None]] = (
        ("EIER-ADM", None, _unit(university, 1)),
        ("EIER-0", None, None),
        ("EIER-SKJULT", _unit(university, 80), None),
        ("EIER-NORD", _unit(university, 80, 1), None),
        ("EIER-NEDLAGT", _unit(university, 90), None),
    )
    for kode, study, administrative in owned:
        emne = _emne(university, kode, f"Emne {kode}")
        emne.studieansvarlig, emne.administrativt_ansvarlig = study, administrative
        _teach(emne, university.semester)


def _versions_and_chains(university: University) -> None:
    """Two versions taught side by side; a course over three terms whose next round began before it ended."""
    for versjonskode in ("1", "2"):
        _teach(_emne(university, "VERS100", "Emne i to versjoner", versjonskode), university.semester)
    emne = _emne(university, "FLER300", "Emne over flere terminer")
    for start in (-1, 0):
        for number in (1, 2, 3):
            ue = _teach(emne, university.semester.step(start + number - 1), number)
            ue.siste_termin = university.semester.step(start + 2)


def _followers(university: University) -> None:
    """Teaching that follows another emne's: a chain, a ring, and an emne that is not taught."""
    emner = {
        kode: _emne(university, kode, f"Emne {kode}")
        for kode in ("FØLG-A", "FØLG-B", "FØLG-C", "RING-A", "RING-B", "FØLG-D", "TAUS100")
    }
    follows = {
        "FØLG-A": "FØLG-B",
        "FØLG-B": "FØLG-C",
        "RING-A": "RING-B",
        "RING-B": "RING-A",
        "FØLG-D": "TAUS100",
    }
    for kode in ("FØLG-A", "FØLG-B", "FØLG-C", "RING-A", "RING-B", "FØLG-D"):
        ue = _teach(emner[kode], university.semester)
        ue.folger = emner[follows[kode]] if kode in follows else None


def _activities(university: University) -> None:
    """Activities three deep, below a unit that is not exported, with every room code and one nobody knows."""
    ue = _teach(_emne(university, "TRE300", "Emne med partitre"), university.semester)
    top = _activity(ue, "SEM")
    _activity(ue, "SEM-1A", _activity(ue, "SEM-1", top))
    _activity(ue, "SEM-2", top, exported=False)
    _activity(_teach(_emne(university, "SKJULT100", "Skjult emne"), university.semester, exported=False), "SEM-1")
    ue = _teach(_emne(university, "ROM100", "Emne med rom"), university.semester)
    for kode, romkode in (("R1", "eget-rom"), ("R2", "ikke-rom"), ("R3", "ingen"), ("R4", UNKNOWN_ROOM_CODE)):
        _activity(ue, kode, None, romkode)


def _rows_past_a_nested_page(university: University) -> None:
    """More rows below one emne and one undervisningsenhet than the ten a nested page holds by default."""
    emne = _emne(university, "MANGE100", "Emne som alltid undervises")
    for back in range(12, -1, -1):
        _teach(emne, university.semester.step(-back))
    ue = _teach(_emne(university, "GRUPPE100", "Emne med mange grupper"), university.semester)
    for number in range(1, 15):
        _activity(ue, f"GR-{number}")


def _service_numbers(university: University) -> None:
    """An emne of the institution's other LMS, and one of none."""
    for kode, number in (("LMS-2", "2"), ("LMS-0", None)):
        emne = _emne(university, kode, f"Emne {kode}")
        emne.tjenestenummer = number
        _teach(emne, university.semester)


def _old_and_summer_teaching(university: University) -> None:
    """An emne that has expired with its last teaching, and one taught in summers."""
    old = _emne(university, "GAMMEL100", "Utgått emne")
    old.siste_termin = university.semester.step(-2)
    _teach(old, old.siste_termin)
    summer = _emne(university, "SOMMER100", "Sommeremne")
    for year in (university.semester.arstall, university.semester.arstall + 1):
        _teach(summer, Semester(year, Terminkode.SOM))


def _program(university: University, kode: str, navn: str, *, exported: bool = True) -> Studieprogram:
    owner = next(unit for unit in university.enheter if unit.niva is Niva.INSTITUTT)
    program = Studieprogram(kode, Navn(navn), owner, skal_eksporteres=exported)
    university.studieprogram.append(program)
    return program


def _kull(program: Studieprogram, year: int, *, exported: bool = True, active: bool = True) -> Kull:
    kull = Kull(program, Semester(year, Terminkode.HOST), f"{program.navn.nb} {year}", None, active, exported)
    program.kull.append(kull)
    return kull


def _hidden_programmes(university: University) -> None:
    """An exported klasse below a kull that is not, an exported kull below a programme that is not; one inactive
    programme; one without a unit whose code has a space.
    """
    year = university.semester.arstall
    hidden_kull = _kull(_program(university, "ÅR-SKJULT", "Årsstudium A"), year, exported=False)
    hidden_kull.klasser.append(Klasse(hidden_kull, "A", "Klasse A"))
    shown_kull = _kull(_program(university, "BA-SKJULT", "Bachelor B", exported=False), year)
    shown_kull.klasser.append(Klasse(shown_kull, "A", "Klasse A"))
    _program(university, "BA-NEDLAGT", "Bachelor C").er_aktiv = False
    _program(university, "ÅR SKSK", "Årsstudium D").studieansvarlig = None


def _many_kull(university: University) -> None:
    """A programme with more kull, one of them with more klasser, than a nested page holds by default."""
    program = _program(university, "MA-MANGE", "Master med lang historie")
    year = university.semester.arstall
    for back in range(12):
        kull = _kull(program, year - back, active=back != 5)
        for number in range(12 if back == 0 else 1):
            kull.klasser.append(Klasse(kull, chr(ord("A") + number), f"Klasse {chr(ord('A') + number)}"))


def _klasser_of_one_code(university: University) -> None:
    """Two klasser of one kull whose codes differ by a blank alone, and one without a name."""
    kull = _kull(_program(university, "BA-TVILLING", "Bachelor med tvillingklasser"), university.semester.arstall)
    kull.klasser += [Klasse(kull, "A", "Klasse A"), Klasse(kull, "A ", "Klasse A igjen"), Klasse(kull, "B", None)]


def _evu(university: University) -> None:
    """An EVU course without a unit, one without an end that follows it, one inactive."""
    year = university.semester.arstall
    autumn = Periode(date(year, 9, 1), date(year, 11, 30))
    alone = EvuKurs("EVU/FELLES", f"{year} høst", Navn("Kurs uten enhet"), autumn, None, lms_romkode="evu-rom")
    owner = university.root
    follower = EvuKurs(
        "EVU-ÅPEN", f"{year}-1", Navn("Åpent kurs"), Periode(date(year, 8, 15), None), owner, folger=alone
    )
    closed = EvuKurs("EVU-AVLYST", f"{year} høst", Navn("Avlyst kurs"), autumn, owner, er_aktiv=False)
    university.evukurs += [alone, follower, closed]
