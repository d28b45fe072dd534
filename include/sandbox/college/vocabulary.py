"""The words of the college: its subjects, its sites, its attendance codes, and names that nobody bears."""

from __future__ import annotations

SUBJECTS = {
    "MTH": ("Math", "Algebra", "Statistics", "Business Math"),
    "ENG": ("Composition", "Rhetoric", "Technical Writing", "Poetry"),
    "BIO": ("Biology", "Anatomy", "Microbiology", "Ecology"),
    "CHE": ("Chemistry", "Laboratory Practice", "Materials", "Pharmacology"),
    "NUR": ("Nursing", "Patient Care", "Community Health", "Pediatrics"),
    "COS": ("Cosmetology", "Hair Design", "Skin Care", "Salon Management"),
    "WLD": ("Welding", "Metal Fabrication", "Blueprint Reading", "Pipe Fitting"),
    "CUL": ("Culinary Arts", "Baking", "Nutrition", "Kitchen Management"),
    "AUT": ("Automotive Systems", "Engine Repair", "Brakes and Steering", "Diagnostics"),
    "CSC": ("Programming", "Networks", "Databases", "Information Security"),
    "PSY": ("Psychology", "Human Development", "Counseling", "Research Design"),
    "BUS": ("Business", "Accounting", "Marketing", "Entrepreneurship"),
}
"""The topics of each subject; a course is a level of a topic."""

LEVELS = ("Intro to", "Fundamentals of", "Applied", "Intermediate", "Advanced", "Seminar in")

SITES = ("MAIN", "MAIN", "NORTH", "MAIN", "WEST")
"""Where sections are held, in turn; MAIN holds three of five."""

LECTURE, INTERNSHIP, FLEXIBLE, BLENDED = "LEC", "INT", "FLX", "BLC"
CODES = (LECTURE, LECTURE, INTERNSHIP, LECTURE, FLEXIBLE, LECTURE, BLENDED)
"""The attendance codes of the sections of a site that has several, in turn."""

HOURS = {
    LECTURE: ("45.00", None),
    INTERNSHIP: ("120.00", None),
    FLEXIBLE: ("15.00", "30.00"),
    BLENDED: ("30.00", "15.00"),
}
"""Synchronous and asynchronous hours by attendance code."""

DAYS = (
    ("Monday", "Wednesday", "Friday"),
    ("Tuesday", "Thursday"),
    ("Monday", "Thursday"),
    ("Wednesday",),
    ("Saturday",),
)
TIMES = (("08:00", "09:15"), ("09:30", "10:45"), ("11:00", "12:15"), ("13:00", "15:30"), ("18:00", "20:45"))

GIVEN_NAMES = tuple(
    first + last
    for first in ("Brav", "Clov", "Dros", "Fenn", "Glim", "Harp", "Jexa", "Kest", "Lumb", "Narv", "Orv", "Quil", "Rast")
    for last in ("adine", "brook", "cotta", "dell", "ette", "fern", "gale", "ivar", "oxie", "win", "yard")
)
FAMILY_NAMES = tuple(
    first + last
    for first in (
        "Ashel",
        "Brindle",
        "Crag",
        "Dunmer",
        "Elder",
        "Ferrin",
        "Grist",
        "Hollen",
        "Larkem",
        "Mossen",
        "Pikel",
    )
    for last in ("batch", "croft", "ditch", "garth", "hurst", "marrow", "quist", "reeve", "stall", "thorpe", "wether")
)
"""No name of these lists is meant to be anybody's; each is put together from two halves."""

DOMAIN = "college.example"
