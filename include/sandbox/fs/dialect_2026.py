"""The resolvers of the 2026 dialect: connections at every level, names in nb, nn and en."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.fs import filters_2026 as filters
from sandbox.fs import keys, paging, people_2026
from sandbox.fs.connections_2026 import (
    EMNE_ORDERS,
    PROGRAMME_ORDERS,
    activities,
    followed_by,
    klasser,
    kull,
    kull_v2,
    root,
    teaching,
)
from sandbox.fs.values import (
    LANGUAGES,
    Resolvers,
    attribute,
    constant,
    itself,
    names,
    of_key,
    period,
    term_name,
    text,
)

if TYPE_CHECKING:
    from sandbox.fs.paging import Info
    from sandbox.university.model import (
        Emne,
        EvuKurs,
        Organisasjonsenhet,
        Semester,
        University,
    )


def _faculty(unit: Organisasjonsenhet, info: Info) -> Organisasjonsenhet | None:
    return info.context.index.places.get((unit.fakultetsnummer, 0, 0))


def _institute(unit: Organisasjonsenhet, info: Info) -> Organisasjonsenhet | None:
    if unit.instituttnummer == 0:
        return None
    return info.context.index.places.get((unit.fakultetsnummer, unit.instituttnummer, 0))


def _university(_row: object, info: Info, **_order: object) -> University:
    return info.context.index.university


def _study_days(semester: Semester, info: Info) -> object:
    return info.context.index.studiesemester.get(semester)


def _languages(row: Any, _info: Info) -> list[tuple[Any, str]]:
    """The languages of an emne, or of an undervisningsenhet, which has its emne's."""
    emne: Emne = getattr(row, "emne", row)
    return [(row, code) for code in emne.undervisningssprak]


def _evu_activities(kurs: EvuKurs, _info: Info) -> list[tuple[EvuKurs, Any]]:
    return [(kurs, activity) for activity in kurs.aktiviteter]


def _evu_followed_by(kurs: EvuKurs, info: Info) -> list[EvuKurs]:
    return [other for other in info.context.index.evukurs.rows if other.folger is kurs]


def _own(_row: object) -> int:
    return 0


def resolvers() -> Resolvers:
    """Return the resolver of every member of the schema, by type and member; `*` begins a pattern of type names."""
    structure = {
        **_query(),
        **_names(),
        **_terms(),
        **_units(),
        **_emner(),
        **_teaching(),
        **_programmes(),
        **_cohorts(),
        **_evu(),
    }
    for type_name, members in people_2026.members().items():
        structure[type_name] |= members
    return {**structure, **paging.resolvers(), **people_2026.resolvers()}


def _query() -> Resolvers:
    return {
        "Query": {
            "terminer": root("terminer", filters.TERMINER),
            "organisasjonsenheter": root("enheter", filters.ORGANISASJONSENHETER),
            "emnerV2": root("emner", filters.EMNER, EMNE_ORDERS),
            "studieprogramV2": root("studieprogram", filters.STUDIEPROGRAM, PROGRAMME_ORDERS),
            "evuKurs": root("evukurs", filters.EVU_KURS),
            **people_2026.query(),
        }
    }


def _names() -> Resolvers:
    three = names(nb="nb", nn="nn", en="en")
    kinds = (
        "OrganisasjonsenhetnavnAlleSprak",
        "Fakultetnavn",
        "FakultetnavnAlleSprak",
        "OrganisasjonsnavnAlleSprak",
        "UndervisningsaktivitetnavnAlleSprak",
        "EvuKursnavnAlleSprak",
    )
    six = names(nb="nb", nn="nn", en="en", nob="nb", nno="nn", eng="en")
    return {
        **dict.fromkeys(kinds, three),
        **dict.fromkeys(("EmnenavnAlleSprak", "StudieprogramnavnAlleSprak"), six),
        "KullNavnAlleSprak": {"no": attribute("navn_no"), "en": attribute("navn_en")},
        "KlassenavnAlleSprak": {"und": attribute("navn")},
        "KlassebetegnelseNavnAlleSprak": {"und": attribute("navn")},
        "EvuKursaktivitetsnavnAlleSprak": {"und": lambda row, _info: row[1].navn},
        "OrganisasjonsnivaaNavnAlleSprak": {"und": lambda level, _info: level.capitalize()},
        "TerminbetegnelsenavnAlleSprak": {language: term_name(language) for language in ("nb", "nn", "en")},
        "Spraknavn": {
            "no": lambda code, _info: LANGUAGES[code][0],
            "en": lambda code, _info: LANGUAGES[code][1],
        },
    }


def _terms() -> Resolvers:
    return {
        "Termin": {
            "id": of_key(keys.TERMIN),
            "arstall": attribute("arstall"),
            "betegnelse": attribute("kode.value"),
            "studiesemesterPeriode": _study_days,
        },
        "Terminbetegnelse": {
            "id": of_key(keys.TERMINBETEGNELSE),
            "kode": itself,
            "navnAlleSprak": itself,
        },
        "StudiesemesterPeriode": period(),
        "SisteTerminForUndervisning": {"arstall": attribute("arstall"), "terminkode": attribute("kode.value")},
    }


def _units() -> Resolvers:
    return {
        "Organisasjonsenhet": {
            "id": of_key(keys.ORGANISASJONSENHET),
            "erAktiv": attribute("er_aktiv"),
            "fakultet": _faculty,
            "institutt": _institute,
            "instituttnummer": text("instituttnummer"),
            "gruppenummer": text("gruppenummer"),
            "lmsRomkode": attribute("lms_romkode"),
            "navnAlleSprak": attribute("navn"),
            "organisasjon": _university,
            "organisasjonsnivaa": attribute("niva.value"),
            "parent": attribute("parent"),
            "skalEksporteresTilLms": attribute("skal_eksporteres"),
        },
        "Fakultet": {
            "id": of_key(keys.FAKULTET),
            "fakultetsnummer": text("fakultetsnummer"),
            "navn": attribute("navn"),
            "navnAlleSprak": attribute("navn"),
        },
        "Organisasjon": {
            "id": of_key(keys.ORGANISASJON, _own),
            "navn": attribute("navn"),
            "navnAlleSprak": attribute("navn"),
            "organisasjonskode": text("institusjonsnummer"),
        },
        "Organisasjonsnivaa": {
            "id": of_key(keys.ORGANISASJONSNIVAA),
            "kode": itself,
            "navnAlleSprak": itself,
        },
    }


def _emner() -> Resolvers:
    return {
        "Emne": {
            "id": of_key(keys.EMNE),
            "kode": attribute("kode"),
            "versjonskode": attribute("versjonskode"),
            "navnAlleSprak": attribute("navn"),
            "organisasjonsenhet": itself,
            "studieansvarligOrganisasjonsenhet": attribute("studieansvarlig"),
            "administrativtAnsvarligOrganisasjonsenhet": attribute("administrativt_ansvarlig"),
            "sprakvalg": _languages,
            "tjenestenummerForLms": attribute("tjenestenummer"),
            "undervisningsenheter": teaching,
        },
        "EmneAnsvarligeOrganisasjonsenheter": {"studieAnsvarlig": attribute("studieansvarlig")},
        "EmneSprakvalg": {
            "id": of_key(keys.EMNE_SPRAKVALG),
            "sprak": lambda row, _info: row[1],
            "tilbysSomUndervisningssprak": constant(True),
        },
        "Sprak": {"id": of_key(keys.SPRAK), "iso6392Kode": itself, "navn": itself},
    }


def _teaching() -> Resolvers:
    return {
        "Undervisningsenhet": {
            "id": of_key(keys.UNDERVISNINGSENHET),
            "emne": attribute("emne"),
            "lmsRomkode": attribute("lms_romkode"),
            "sisteTermin": attribute("siste_termin"),
            "skalEksporteresTilLms": attribute("skal_eksporteres"),
            "sprakvalg": _languages,
            "termin": attribute("semester"),
            "terminnummer": attribute("terminnummer"),
            "undervisningenFolger": attribute("folger"),
            "undervisningenFolgesAv": followed_by,
            "undervisningsaktiviteter": activities,
        },
        "UndervisningsenhetSprakvalg": {
            "id": of_key(keys.UNDERVISNINGSENHET_SPRAKVALG),
            "sprak": lambda row, _info: row[1],
        },
        "Undervisningsaktivitet": {
            "id": of_key(keys.UNDERVISNINGSAKTIVITET),
            "kode": attribute("kode"),
            "disiplin": constant(None),
            "lmsRomkode": attribute("lms_romkode"),
            "navnAlleSprak": attribute("navn"),
            "parent": attribute("parent"),
            "partinummer": attribute("partinummer"),
            "skalEksporteresTilLms": attribute("skal_eksporteres"),
            "undervisningsenhet": attribute("enhet"),
            "undervisningsform": attribute("form"),
        },
        "Undervisningsdisiplin": {"id": constant(None), "kode": itself},
        "Undervisningsform": {"id": of_key(keys.UNDERVISNINGSFORM), "kode": itself},
    }


def _programmes() -> Resolvers:
    return {
        "Studieprogram": {
            "id": of_key(keys.STUDIEPROGRAM),
            "kode": attribute("kode"),
            "erAktiv": attribute("er_aktiv"),
            "kull": kull,
            "kullV2": kull_v2,
            "lmsRomkode": attribute("lms_romkode"),
            "navnAlleSprak": attribute("navn"),
            "organisasjonsenhet": itself,
            "skalEksporteresTilLms": attribute("skal_eksporteres"),
            "sprak": lambda program, _info: [(program, "nob")],
            "studieansvarligOrganisasjonsenhet": attribute("studieansvarlig"),
        },
        "StudieprogramAnsvarligeOrganisasjonsenheter": {"studieansvarlig": attribute("studieansvarlig")},
        "StudieprogramSprak": {
            "id": of_key(keys.STUDIEPROGRAM_SPRAK),
            "sprak": lambda row, _info: row[1],
        },
    }


def _cohorts() -> Resolvers:
    return {
        "Kull": {
            "id": of_key(keys.KULL),
            "erAktiv": attribute("er_aktiv"),
            "klasser": klasser,
            "lmsRomkode": attribute("lms_romkode"),
            "navnAlleSprak": itself,
            "skalEksporteresTilLms": attribute("skal_eksporteres"),
            "studieprogram": attribute("studieprogram"),
            "termin": attribute("semester"),
            "terminV2": attribute("semester"),
            "tjenestenummerForLms": attribute("tjenestenummer"),
        },
        "Klasse": {
            "id": of_key(keys.KLASSE),
            "betegnelse": itself,
            "erAktiv": attribute("er_aktiv"),
            "kode": attribute("kode"),
            "kull": attribute("kull"),
            "lmsRomkode": attribute("lms_romkode"),
            "navnAlleSprak": itself,
            "skalEksporteresTilLms": attribute("skal_eksporteres"),
        },
        "Klassebetegnelse": {
            "id": of_key(keys.KLASSEBETEGNELSE, lambda klasse: klasse.kode),
            "erAktiv": attribute("er_aktiv"),
            "kode": attribute("kode"),
            "navnAlleSprak": itself,
        },
    }


def _evu() -> Resolvers:
    return {
        "EvuKurs": {
            "id": of_key(keys.EVU_KURS),
            "administrativtAnsvarligOrganisasjonsEnhet": attribute("enhet"),
            "aktivitetsoppbygning": _evu_activities,
            "erAktiv": attribute("er_aktiv"),
            "folgerUndervisningForKurs": attribute("folger"),
            "kode": attribute("kode"),
            "kursperiode": attribute("periode"),
            "lmsRomkode": attribute("lms_romkode"),
            "navnAlleSprak": attribute("navn"),
            "skalEksporteresTilLms": attribute("skal_eksporteres"),
            "tidsangivelseskode": attribute("tidsangivelse"),
            "tjenestenummerForLms": attribute("tjenestenummer"),
            "undervisningFolgesAvKurs": _evu_followed_by,
        },
        "EvuKursaktivitet": {
            "id": of_key(keys.EVU_KURSAKTIVITET),
            "evuKurs": lambda row, _info: row[0],
            "kode": lambda row, _info: row[1].kode,
            "lmsRomkode": lambda row, _info: row[1].lms_romkode,
            "navnAlleSprak": itself,
            "parent": constant(None),
        },
        "EvuKursperiode": period(),
    }
