"""What the installed package tells Airflow: its connection types, with their form and their Test button.

Airflow serves the form from here without importing a hook (Airflow findings §5), so nothing heavy may be imported.
"""

from __future__ import annotations

from typing import Any

from rosterflow import __version__

FS_GRAPHQL: dict[str, Any] = {
    "connection-type": "fs_graphql",
    "hook-class-name": "rosterflow.hooks.fs.FSGraphQLHook",
    "hook-name": "FS GraphQL",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "port"],
        "relabeling": {
            "host": "Address of the API",
            "login": "API user",
            "password": "Password, or the gateway's key",
        },
        "placeholders": {
            "host": "https://api.fellesstudentsystem.no/graphql/",
            "login": "184_studieelementer_les1",
        },
    },
    "conn-fields": {
        "institution_number": {
            "label": "Institution number",
            "description": "Used by Test only: with it, Test tries every read of the study structure.",
            "schema": {"type": ["string", "null"], "pattern": "^[0-9]+$"},
        },
        "dialect": {
            "label": "Dialect",
            "description": "Used by Test only: which schema the server speaks. Runs take the institution's setting.",
            "schema": {"type": ["string", "null"], "enum": ["2026", "2023"], "default": "2026"},
        },
        "feature_flags": {
            "label": "Feature flags",
            "description": "Used by Test only, separated by commas. Runs take the institution's setting.",
            "schema": {"type": ["string", "null"], "default": "beta,experimental"},
        },
        "api_key_header": {
            "label": "Header of the gateway's key",
            "description": "Behind a gateway, for example X-Gravitee-Api-Key; empty: user name and password.",
            "schema": {"type": ["string", "null"], "pattern": "^[A-Za-z0-9-]+$"},
        },
        "connect_timeout": {
            "label": "Connect time-out",
            "description": "Seconds.",
            "schema": {"type": ["number", "null"], "default": 5, "exclusiveMinimum": 0},
        },
        "read_timeout": {
            "label": "Read time-out",
            "description": "Seconds without an answer; large nested pages take their time.",
            "schema": {"type": ["number", "null"], "default": 60, "exclusiveMinimum": 0},
        },
    },
}

CANVAS: dict[str, Any] = {
    "connection-type": "canvas",
    "hook-class-name": "rosterflow.hooks.canvas.CanvasHook",
    "hook-name": "Canvas LMS",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "port", "login", "extra"],
        "relabeling": {"host": "Base URL of Canvas", "password": "Access token"},
        "placeholders": {
            "host": "https://canvas.example.edu",
            "password": "token of an administrator of the root account",
        },
    },
}

COURSEKEY: dict[str, Any] = {
    "connection-type": "coursekey",
    "hook-class-name": "rosterflow.hooks.coursekey.CourseKeyHook",
    "hook-name": "CourseKey",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "port", "login", "extra"],
        "relabeling": {"host": "Address of the API", "password": "Auth key"},
        "placeholders": {"host": "https://api.thecoursekey.com"},
    },
    "conn-fields": {
        "school_id": {
            "label": "School ID",
            "description": "Used by Test only, as is the address: one of the schools of this auth key.",
            "schema": {"type": ["string", "null"]},
        },
        "calls_per_second": {
            "label": "Calls per second",
            "description": "How many calls are begun in a second at most with this key.",
            "schema": {"type": ["number", "null"], "default": 10, "exclusiveMinimum": 0},
        },
        "concurrent_calls": {
            "label": "Calls at once",
            "description": "How many calls are under way at once at most with this key.",
            "schema": {"type": ["integer", "null"], "default": 4, "minimum": 1},
        },
    },
}

CAMPUS_CAFE: dict[str, Any] = {
    "connection-type": "campus_cafe",
    "hook-class-name": "rosterflow.hooks.campus_cafe.CampusCafeHook",
    "hook-name": "Campus Cafe",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "port", "login", "extra"],
        "relabeling": {"host": "Address of Campus Cafe", "password": "Token"},
        "placeholders": {"host": "https://campuscafe.college.example"},
    },
}

CONNECTION_TYPES: tuple[dict[str, Any], ...] = (FS_GRAPHQL, CANVAS, COURSEKEY, CAMPUS_CAFE)


def get_provider_info() -> dict[str, Any]:
    """The provider information that Airflow's providers manager reads; the entry point ``apache_airflow_provider``."""
    return {
        "package-name": "rosterflow",
        "name": "Rosterflow",
        "description": "Keeps learning systems in step with student systems.",
        "versions": [__version__],
        "connection-types": list(CONNECTION_TYPES),
    }
