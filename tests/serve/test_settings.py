"""What the environment says is read once, and every wrong word of it is refused by name."""

from dataclasses import fields
from pathlib import Path

import pytest

from reco_utils.serve.settings import Settings

KEY = "sixteen-letters-"


def test_without_any_variable_the_service_is_private_to_this_machine():
    settings = Settings.from_environment({})
    assert (settings.home, settings.host, settings.port) == (Path("runs/serve"), "127.0.0.1", 8000)
    assert settings.is_local and settings.store == "memory:" and settings.admin_key == "" and not settings.warnings
    assert settings == Settings()


def test_every_field_has_its_variable_and_a_default_that_it_allows():
    for field in fields(Settings):
        assert field.metadata["env"] == f"RECO_{field.name.upper()}"
        assert field.metadata["fits"](field.default), field.name


def test_variables_are_read_as_what_they_mean():
    env = {
        "RECO_HOME": "elsewhere", "RECO_HOST": "0.0.0.0", "RECO_PORT": " 9000 ", "RECO_ADMIN_KEY": KEY,
        "REDIS_URL": "redis://cache:6379/1", "RECO_RATE": "2.5", "RECO_MAX_AGE_HOURS": "12", "RECO_LOG": "errors",
        "RECO_DEADLINE_MS": "", "PATH": "/bin",
    }  # fmt: skip
    settings = Settings.from_environment(env)
    assert (settings.home, settings.host, settings.port) == (Path("elsewhere"), "0.0.0.0", 9000)
    assert (settings.store, settings.rate, settings.max_age_hours) == ("redis://cache:6379/1", 2.5, 12.0)
    assert settings.log == "errors" and settings.deadline_ms == 40.0  # set to nothing is not set


def test_what_is_said_on_the_command_line_comes_first():
    settings = Settings.from_environment({"RECO_PORT": "nonsense", "RECO_HOST": "::1"}, port=7000, host=None)
    assert (settings.port, settings.host) == (7000, "::1")


def test_our_own_variables_come_before_those_of_clouds():
    assert Settings.from_environment({"PORT": "8080"}).port == 8080
    assert Settings.from_environment({"PORT": "8080", "RECO_PORT": "8001"}).port == 8001
    both = {"REDIS_URL": "redis://a:1/0", "RECO_STORE": "sqlite:///kv.db"}
    assert Settings.from_environment(both).store == "sqlite:///kv.db"


@pytest.mark.parametrize(
    "name, value, allowed",
    [
        ("RECO_PORT", "65536", "a whole number from 0 to 65535, got '65536'"),
        ("RECO_PORT", "8000.0", "a whole number"),
        ("RECO_PORT", "8_000", "a whole number"),
        ("PORT", "http", "a whole number"),
        ("RECO_RATE", "-1", "requests per second, from 0"),
        ("RECO_RATE", "nan", "requests per second"),
        ("RECO_DEADLINE_MS", "0", "milliseconds from 1"),
        ("RECO_CACHE_SECONDS", "60", "1 to 24 hours"),
        ("RECO_MAX_BYTES", "10MB", "a whole number"),
        ("RECO_MAX_AGE_HOURS", "inf", "hours from"),
        ("RECO_STORE", "mongo://x", "memory:, sqlite:///file or redis://host:port/database"),
        ("RECO_LOG", "verbose", "all, errors or none"),
    ],
)
def test_a_wrong_value_is_refused_with_name_value_and_what_is_allowed(name, value, allowed):
    with pytest.raises(ValueError, match=f"^{name} must be .*{allowed}"):
        Settings.from_environment({name: value})


def test_all_wrong_values_are_named_at_once():
    with pytest.raises(ValueError, match="RECO_PORT must be .*; RECO_RATE must be"):
        Settings.from_environment({"RECO_PORT": "x", "RECO_RATE": "y"})


def test_a_wrong_argument_is_refused_by_its_field():
    with pytest.raises(ValueError, match="port must be a whole number from 0 to 65535, got True"):
        Settings(port=True)
    with pytest.raises(ValueError, match="home must be a folder, got ''"):
        Settings(home="")
    assert Settings(home="runs").home == Path("runs")


def test_secrets_are_never_shown_not_even_wrong_ones():
    settings = Settings(admin_key=KEY, secret=KEY[::-1], store="redis://user:password@host:1/0")
    assert not any(secret in repr(settings) for secret in (KEY, KEY[::-1], "password"))
    for name in ("RECO_ADMIN_KEY", "RECO_SECRET", "RECO_STORE", "REDIS_URL"):
        with pytest.raises(ValueError, match="got 5 characters") as refusal:
            Settings.from_environment({name: "hush!"})
        assert "hush!" not in str(refusal.value)


def test_being_reachable_without_a_key_is_warned_about():
    (warning,) = Settings(host="0.0.0.0").warnings
    assert "RECO_ADMIN_KEY" in warning and "0.0.0.0" in warning
    assert not Settings(host="0.0.0.0", admin_key=KEY).warnings
    assert all(Settings(host=host).is_local for host in ("127.0.0.1", "localhost", "::1", "127.1.2.3"))
    assert any("RECO_SECRET" in warning for warning in Settings(store="redis://h:1/0").warnings)
