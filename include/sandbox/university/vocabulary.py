"""The words the university is made of: subjects, kinds of emne, unit names, roles, names of people. Every place and
person is invented.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.university.model import Navn
from sandbox.university.people import Rolle, Studentstatus

INSTITUTION = Navn("Universitetet i Havnsund", "Universitetet i Havnsund", "University of Havnsund")


@dataclass(frozen=True, slots=True)
class Subject:
    """A field of study: the letters its emner begin with and its name in three languages."""

    prefix: str
    nb: str
    nn: str
    en: str


SUBJECTS = (
    Subject("MAT", "matematikk", "matematikk", "Mathematics"),
    Subject("HIS", "historie", "historie", "History"),
    Subject("SYK", "sykepleie", "sjukepleie", "Nursing"),
    Subject("ØKO", "økonomi", "økonomi", "Economics"),
    Subject("INF", "informatikk", "informatikk", "Informatics"),
    Subject("NOR", "nordisk språk", "nordisk språk", "Nordic Languages"),
    Subject("BIO", "biologi", "biologi", "Biology"),
    Subject("PED", "pedagogikk", "pedagogikk", "Education"),
    Subject("FYS", "fysikk", "fysikk", "Physics"),
    Subject("MUS", "musikk", "musikk", "Music"),
    Subject("PSY", "psykologi", "psykologi", "Psychology"),
    Subject("KJE", "kjemi", "kjemi", "Chemistry"),
    Subject("ENG", "engelsk", "engelsk", "English"),
    Subject("SOS", "sosiologi", "sosiologi", "Sociology"),
    Subject("GEO", "geologi", "geologi", "Geology"),
    Subject("JUS", "rettsvitenskap", "rettsvitskap", "Law"),
    Subject("FIL", "filosofi", "filosofi", "Philosophy"),
    Subject("STA", "statistikk", "statistikk", "Statistics"),
    Subject("ARK", "arkeologi", "arkeologi", "Archaeology"),
    Subject("TEO", "teologi", "teologi", "Theology"),
    Subject("HAV", "havbruk", "havbruk", "Aquaculture"),
    Subject("STV", "statsvitenskap", "statsvitskap", "Political Science"),
    Subject("LIN", "lingvistikk", "lingvistikk", "Linguistics"),
    Subject("AST", "astronomi", "astronomi", "Astronomy"),
)

EMNE_PATTERNS = (
    Navn("Innføring i {nb}", "Innføring i {nn}", "Introduction to {en}"),
    Navn("Metode i {nb}", "Metode i {nn}", "Methods in {en}"),
    Navn("Videregående {nb}", "Vidaregåande {nn}", "Advanced {en}"),
    Navn("Prosjekt i {nb}", "Prosjekt i {nn}", "Project in {en}"),
    Navn("Utvalgte temaer i {nb}", "Utvalde tema i {nn}", "Selected Topics in {en}"),
    Navn("Praksis i {nb}", "Praksis i {nn}", "Placement in {en}"),
    Navn("Forskning i {nb}", "Forsking i {nn}", "Research in {en}"),
    Navn("Feltarbeid i {nb}", "Feltarbeid i {nn}", "Field Work in {en}"),
)

FACULTIES = (
    Navn("Fakultet for naturvitenskap", "Fakultet for naturvitskap", "Faculty of Natural Sciences"),
    Navn("Det humanistiske fakultet", "Det humanistiske fakultetet", "Faculty of Humanities"),
    Navn("Fakultet for helse og samfunn", "Fakultet for helse og samfunn", "Faculty of Health and Society"),
    Navn("Fakultet for økonomi", "Fakultet for økonomi", "Faculty of Economics"),
    Navn("Fakultet for utdanning", "Fakultet for utdanning", "Faculty of Education"),
    Navn("Det juridiske fakultet", "Det juridiske fakultetet", "Faculty of Law"),
    Navn("Fakultet for kunst og musikk", "Fakultet for kunst og musikk", "Faculty of Art and Music"),
)

INSTITUTE = Navn("Institutt for {nb}", "Institutt for {nn}", "Department of {en}")
GROUP = Navn("Faggruppe for {nb} {n}", "Faggruppe for {nn} {n}", "{en} Group {n}")

PROGRAMME_PATTERNS = (
    ("BA", Navn("Bachelor i {nb}", "Bachelor i {nn}", "Bachelor of {en}")),
    ("MA", Navn("Master i {nb}", "Master i {nn}", "Master of {en}")),
    ("ÅR", Navn("Årsstudium i {nb}", "Årsstudium i {nn}", "One-year Programme in {en}")),
)

EVU_PATTERN = Navn("Videreutdanning i {nb}", "Vidareutdanning i {nn}", "Further Education in {en}")


@dataclass(frozen=True, slots=True)
class ActivityPattern:
    """An activity of an undervisningsenhet: its code, form, name, and the code of the one it lies under."""

    kode: str
    form: str
    navn: Navn
    parent: str | None = None
    partinummer: str | None = None


ACTIVITIES = (
    ActivityPattern("FOR", "FOR", Navn("Forelesninger", "Førelesingar", "Lectures")),
    ActivityPattern("SEM", "SEM", Navn("Seminarer", "Seminar", "Seminars")),
    ActivityPattern("SEM-1", "SEM", Navn("Seminargruppe 1", "Seminargruppe 1", "Seminar Group 1"), "SEM", "1"),
    ActivityPattern("SEM-2", "SEM", Navn("Seminargruppe 2", "Seminargruppe 2", "Seminar Group 2"), "SEM", "2"),
    ActivityPattern("LAB", "LAB", Navn("Laboratorium", "Laboratorium", "Laboratory")),
    ActivityPattern("LAB-1", "LAB", Navn("Labgruppe 1", "Labgruppe 1", "Lab Group 1"), "LAB", "1"),
    ActivityPattern("LAB-1A", "LAB", Navn("Labgruppe 1 A", "Labgruppe 1 A", "Lab Group 1 A"), "LAB-1", "1"),
    ActivityPattern("LAB-2", "LAB", Navn("Labgruppe 2", "Labgruppe 2", "Lab Group 2"), "LAB", "2"),
    ActivityPattern("KOL", "KOL", Navn("Kollokvier", "Kollokvium", "Study Groups")),
    ActivityPattern("KOL-1", "KOL", Navn("Kollokvium 1", "Kollokvium 1", "Study Group 1"), "KOL", "1"),
    ActivityPattern("SEM-3", "SEM", Navn("Seminargruppe 3", "Seminargruppe 3", "Seminar Group 3"), "SEM", "3"),
    ActivityPattern("KOL-2", "KOL", Navn("Kollokvium 2", "Kollokvium 2", "Study Group 2"), "KOL", "2"),
)

STUDIEKONS = Rolle("STUDIEKONS", "ADMINISTRATOR", Navn("Studiekonsulent", "Studiekonsulent", "Adviser"), "Studieadm.")
HOVEDLARER = Rolle("HOVEDLÆRER", "INSTRUCTOR", Navn("Hovedlærer", "Hovudlærar", "Main Teacher"), "Lærer")
TILSYN = Rolle("TILSYN", "CUSTOM_ROLE", Navn("Tilsynssensor", "Tilsynssensor", "External Examiner"), "Tilsyn")
ADMIN = Rolle("ADMIN", "MANAGER", Navn("Administrator", "Administrator", "Administrator"), "Administrator")
EMNEANSVAR = Rolle("EMNEANSVAR", "INSTRUCTOR", Navn("Emneansvarlig", "Emneansvarleg", "Course Manager"), "Lærer")
LARER = Rolle("LÆRER", "INSTRUCTOR", Navn("Lærer", "Lærar", "Teacher"), "Lærer")
ASSISTENT = Rolle("ASSISTENT", "TEACHING_ASSISTANT", Navn("Assistent", "Assistent", "Assistant"), "Assistent")
VEILEDER = Rolle("VEILEDER", "MENTOR", Navn("Veileder", "Rettleiar", "Tutor"), "Veileder")
KURSANSV = Rolle("KURSANSV", "INSTRUCTOR", Navn("Kursansvarlig", "Kursansvarleg", "Course Leader"), "Lærer")
DESIGN = Rolle("EL-DESIGN", "CONTENT_DEVELOPER", Navn("Læringsdesigner", None, "Course Designer"), "Designer")
TOLK = Rolle("TOLK", None, Navn("Tolk", "Tolk", "Interpreter"), "Tolk")

PROGRAMME_ROLES = (STUDIEKONS, HOVEDLARER, TILSYN)
ROLES = (STUDIEKONS, HOVEDLARER, TILSYN, ADMIN, EMNEANSVAR, LARER, ASSISTENT, VEILEDER, KURSANSV, DESIGN, TOLK)
"""FS's role list: codes are each institution's own and at most ten letters; TOLK has no IMS role either."""

AKTIV = Studentstatus("AKTIV", True, Navn("Aktiv", "Aktiv", "Active"))
PERMISJON = Studentstatus("PERM", False, Navn("Permisjon", "Permisjon", "Leave of Absence"))
FULLFORT = Studentstatus("FULLFØRT", False, Navn("Fullført", "Fullført", "Completed"))
STUDENT_STATUSES = (AKTIV, PERMISJON, FULLFORT)

GIVEN_NAMES = tuple(
    first + last
    for first in (
        "Alm",
        "Bjør",
        "Drøv",
        "Eik",
        "Fjæl",
        "Grim",
        "Hav",
        "Iv",
        "Kvit",
        "Ljos",
        "Mold",
        "Nør",
        "Selj",
        "Ty",
    )
    for last in ("dis", "fast", "gunn", "hild", "leif", "rik", "ros", "stein", "unn", "vår", "øy")
)
FAMILY_NAMES = tuple(
    first + last
    for first in ("Brå", "Duv", "Fjel", "Gråt", "Kløv", "Lyng", "Myr", "Nykk", "Orre", "Skav", "Torv", "Ufs", "Vass")
    for last in ("bakka", "dalset", "eidet", "grend", "holmen", "lia", "nesset", "stølen", "tangen", "åsen", "ødegard")
)
"""No name of these lists is in use; each is put together from two halves."""

DOMAIN = "rosterflow.example"


def fill(pattern: Navn, subject: Subject, **more: object) -> Navn:
    """Return the name that a pattern makes of a subject, with a capital first."""

    def text(template: str | None) -> str | None:
        if template is None:
            return None
        made = template.format(nb=subject.nb, nn=subject.nn, en=subject.en, **more)
        return made[0].upper() + made[1:]

    return Navn(text(pattern.nb), text(pattern.nn), text(pattern.en))
