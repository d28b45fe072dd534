"""What the package tells Airflow about its connection types."""

from __future__ import annotations

from importlib.metadata import entry_points

from airflow.sdk._shared.module_loading import import_string

from rosterflow.provider import get_provider_info


def test_the_installed_package_is_the_provider() -> None:
    [entry] = [
        one
        for one in entry_points(group="apache_airflow_provider")
        if one.name == "provider_info" and one.value.startswith("rosterflow.")
    ]

    assert entry.load() is get_provider_info
    assert entry.dist is not None
    assert get_provider_info()["package-name"] == entry.dist.name


def test_every_connection_type_is_that_of_its_hook() -> None:
    for kind in get_provider_info()["connection-types"]:
        hook = import_string(kind["hook-class-name"])
        assert (hook.conn_type, hook.hook_name) == (kind["connection-type"], kind["hook-name"])
