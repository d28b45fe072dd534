"""The resolvers of the 2023 dialect, that of the source document: nested lists, names in nob, nno and eng."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.fs import keys, paging
from sandbox.fs.filters_2026 import not_expired
from sandbox.fs.ordering import Sorted
from sandbox.fs.values import (
    Resolver,
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
from sandbox.university.model import Semester, Terminkode
from sandbox.university.people import AktivStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.fs.paging import Info, Page
    from sandbox.university.model import (
        Emne,
        Klasse,
        Kull,
        Organisasjonsenhet,
        Studieprogram,
        Undervisningsaktivitet,
        Undervisningsenhet,
        University,
    )
    from sandbox.university.people import Personrolle

    Test = Callable[[Any], bool]


def _flags(given: dict[str, Any]) -> Test:
    """The test of the two flags that every filter but the emner's has."""
    wanted = [
        (attribute, given[name])
        for name, attribute in (("erAktiv", "er_aktiv"), ("skalEksporteresTilLms", "skal_eksporteres"))
        if given.get(name) is not None
    ]
    return lambda row: all(getattr(row, attribute) is value for attribute, value in wanted)


def _emne_test(given: dict[str, Any]) -> Test:
    tests: list[Test] = []
    if given.get("emnekoder") is not None:
        codes = set(given["emnekoder"])
        tests.append(lambda emne: emne.kode in codes)
    term = given.get("ikkeUtloptITermin")
    if term is not None:
        tests.append(not_expired(Semester(term["arstall"], Terminkode[term["terminbetegnelse"]])))
    return lambda emne: all(test(emne) for test in tests)


def _root(index_name: str, test_of: Callable[[dict[str, Any]], Test]) -> Resolver:
    """Page a root connection; another institution's number, as owner or beside it, finds no row."""

    def resolve(
        _source: None,
        info: Info,
        filter: dict[str, Any],  # the argument's name in FS
        first: int | None = None,
        after: str | None = None,
    ) -> Page[Any]:
        index = info.context.index
        rows: Sorted[Any] = getattr(index, index_name)
        numbers = (filter["eierInstitusjonsnummer"], filter.get("institusjonsnummer"))
        if not all(index.is_owner(number) for number in numbers if number is not None):
            rows = Sorted((), rows.key, index.institution)
        return paging.page(rows, test_of(filter), info, first, after)

    return resolve


def _teaching(
    emne: Emne,
    info: Info,
    filter: dict[str, Any] | None = None,
) -> list[Undervisningsenhet]:
    rows = info.context.index.nested("ue", emne, lambda: emne.undervisningsenheter, keys.UNDERVISNINGSENHET)
    return filter_rows(rows, _flags(filter or {}))


def _activities(ue: Undervisningsenhet, info: Info) -> list[Undervisningsaktivitet]:
    return info.context.index.nested("ua", ue, lambda: ue.aktiviteter, keys.UNDERVISNINGSAKTIVITET).rows


def _followed_by(ue: Undervisningsenhet, info: Info) -> list[Emne]:
    index = info.context.index
    return index.nested("followers", ue, lambda: index.followers(ue), keys.EMNE).rows


def _kull(program: Studieprogram, info: Info, aktiv: bool | None = None) -> list[Kull]:
    rows = info.context.index.nested("kull", program, lambda: program.kull, keys.KULL)
    return filter_rows(rows, _flags({"erAktiv": aktiv}))


def _klasser(
    kull: Kull,
    info: Info,
    erAktiv: bool | None = None,
    skalEksporteresTilLms: bool | None = None,
) -> list[Klasse]:
    rows = info.context.index.nested("klasser", kull, lambda: kull.klasser, keys.KLASSE)
    return filter_rows(rows, _flags({"erAktiv": erAktiv, "skalEksporteresTilLms": skalEksporteresTilLms}))


def filter_rows(rows: Sorted[Any], test: Test) -> list[Any]:
    """Return the rows of a list that pass a test, in order and without pages."""
    return [row for row in rows.rows if test(row)]


def _faculty(unit: Organisasjonsenhet, info: Info) -> Organisasjonsenhet | None:
    return info.context.index.places.get((unit.fakultetsnummer, 0, 0))


def _university(_row: object, info: Info) -> University:
    return info.context.index.university


def _is_active(role: Personrolle, info: Info) -> bool:
    return AktivStatus.of(role.periode, info.context.index.today) is AktivStatus.AKTIV


def _languages(emne: Emne, _info: Info) -> tuple[str, ...]:
    return emne.undervisningssprak


def resolvers() -> Resolvers:
    """Return the resolver of every member of the schema, by type and member; `*` begins a pattern of type names."""
    return {
        **_query(),
        **paging.resolvers(),
        **_names(),
        **_units(),
        **_emner(),
        **_programmes(),
        **_cohorts(),
        **_evu(),
    }


def _query() -> Resolvers:
    return {
        "Query": {
            "organisasjonsenheter": _root("enheter", _flags),
            "emner": _root("emner", _emne_test),
            "studieprogram": _root("studieprogram", _flags),
            "evuKurs": _root("evukurs", _flags),
        }
    }


def _names() -> Resolvers:
    return {
        "NavnAlleSprak": names(nob="nb", nno="nn", eng="en"),
        "Rollenavn": {
            **names(nob="navn.nb", nno="navn.nn", eng="navn.en"),
            "lmsNavn": attribute("lms_navn"),
        },
        "KullNavnAlleSprak": {"no": attribute("navn_no"), "en": attribute("navn_en")},
        "KlassenavnAlleSprak": {"und": attribute("navn")},
        "TerminbetegnelsenavnAlleSprak": {language: term_name(language) for language in ("nb", "nn", "en")},
    }


def _units() -> Resolvers:
    return {
        "Organisasjonsenhet": {
            "id": of_key(keys.ORGANISASJONSENHET),
            "erAktiv": attribute("er_aktiv"),
            "fakultet": _faculty,
            "instituttnummer": text("instituttnummer"),
            "gruppenummer": text("gruppenummer"),
            "lmsRomkode": attribute("lms_romkode"),
            "navnAlleSprak": attribute("navn"),
            "organisasjon": _university,
            "skalEksporteresTilLms": attribute("skal_eksporteres"),
        },
        "Fakultet": {"fakultetsnummer": text("fakultetsnummer"), "navn": attribute("navn")},
        "Organisasjon": {"navn": attribute("navn"), "organisasjonskode": text("institusjonsnummer")},
    }


def _emner() -> Resolvers:
    return {
        "Emne": {
            "id": of_key(keys.EMNE),
            "kode": attribute("kode"),
            "versjonskode": attribute("versjonskode"),
            "navnAlleSprak": attribute("navn"),
            "organisasjonsenhet": itself,
            "sprakvalg": _languages,
            "tjenestenummerForLms": attribute("tjenestenummer"),
            "undervisningsenheter": _teaching,
        },
        "EmneAnsvarligeOrganisasjonsenheter": {"studieAnsvarlig": attribute("studieansvarlig")},
        "EmneSprakvalg": {"sprak": itself, "tilbysSomUndervisningssprak": constant(True)},
        "Sprak": {"iso6392Kode": itself},
        "Undervisningsenhet": {
            "lmsRomkode": attribute("lms_romkode"),
            "termin": attribute("semester"),
            "terminnummer": attribute("terminnummer"),
            "undervisningenFolger": attribute("folger"),
            "undervisningenFolgesAv": _followed_by,
            "undervisningsaktiviteter": _activities,
        },
        "Undervisningsaktivitet": {
            "kode": attribute("kode"),
            "lmsRomkode": attribute("lms_romkode"),
            "navnAlleSprak": attribute("navn"),
            "skalEksporteresTilLms": attribute("skal_eksporteres"),
            "terminnummer": attribute("enhet.terminnummer"),
        },
        "Termin": {"arstall": attribute("arstall"), "betegnelse": attribute("kode.value")},
        "Terminbetegnelse": {"kode": itself, "navnAlleSprak": itself},
    }


def _programmes() -> Resolvers:
    return {
        "Studieprogram": {
            "id": of_key(keys.STUDIEPROGRAM),
            "erAktiv": attribute("er_aktiv"),
            "kode": attribute("kode"),
            "kull": _kull,
            "lmsRomkode": attribute("lms_romkode"),
            "navnAlleSprak": attribute("navn"),
            "organisasjonsenhet": itself,
            "personroller": attribute("personroller"),
            "skalEksporteresTilLms": attribute("skal_eksporteres"),
            "skalPubliseres": attribute("er_aktiv"),
        },
        "StudieprogramAnsvarligeOrganisasjonsenheter": {"studieansvarlig": attribute("studieansvarlig")},
        "Studieprogramrolle": {
            "aktiv": _is_active,
            "fsRolle": attribute("rolle"),
            "gyldighetsperiode": attribute("periode"),
        },
        "FsRolle": {
            "erAktiv": constant(True),
            "imsRolle": attribute("ims_rolle"),
            "kode": attribute("kode"),
            "navn": itself,
        },
        "Gyldighetsperiode": period(),
    }


def _cohorts() -> Resolvers:
    return {
        "Kull": {
            "erAktiv": attribute("er_aktiv"),
            "klasser": _klasser,
            "lmsRomkode": attribute("lms_romkode"),
            "navnAlleSprak": itself,
            "skalEksporteresTilLms": attribute("skal_eksporteres"),
            "termin": attribute("semester"),
            "tjenestenummerForLms": attribute("tjenestenummer"),
        },
        "Klasse": {
            "erAktiv": attribute("er_aktiv"),
            "kode": attribute("kode"),
            "lmsRomkode": attribute("lms_romkode"),
            "navnAlleSprak": itself,
            "skalEksporteresTilLms": attribute("skal_eksporteres"),
        },
    }


def _evu() -> Resolvers:
    return {
        "EvuKurs": {
            "id": of_key(keys.EVU_KURS),
            "administrativtAnsvarligEnhet": attribute("enhet"),
            "erAktiv": attribute("er_aktiv"),
            "kurskode": attribute("kode"),
            "kursperiode": attribute("periode"),
            "lmsRomkode": attribute("lms_romkode"),
            "navnAlleSprak": attribute("navn"),
            "skalEksporteresTilLms": attribute("skal_eksporteres"),
            "tidsangivelseskode": attribute("tidsangivelse"),
            "tjenestenummerForLms": attribute("tjenestenummer"),
        },
        "EvuKursperiode": period(),
    }
