"""Settings: read from the environment, checked at the start, and all of them documented."""

import pytest

from app import create_app
from app.config import MIN_SECRET_LENGTH, ROOT, SETTINGS, SettingError, check_settings, read_settings

README = (ROOT / "README.md").read_text()


def settings(**environment: str) -> dict:
    return read_settings({f"PLEURA_{name}": value for name, value in environment.items()})


def test_defaults_are_usable():
    check_settings(settings())


@pytest.mark.parametrize(
    ("environment", "name", "value"),
    [
        ({"RETENTION_MINUTES": "5"}, "RETENTION_MINUTES", 5),
        ({"PRODUCTION": "1"}, "PRODUCTION", True),
        ({"PRODUCTION": "FALSE"}, "PRODUCTION", False),
        ({"API": "token", "API_TOKEN": "1234"}, "API_TOKEN", "1234"),
        ({"API": ""}, "API", "off"),
        ({"RATE_LIMIT": ""}, "RATE_LIMIT", ""),
    ],
)
def test_environment_is_read(environment, name, value):
    assert settings(**environment)[name] == value


@pytest.mark.parametrize(
    "environment",
    [
        {"API": "on"},
        {"API": "Open"},
        {"API": "token"},
        {"API": "token", "API_TOKEN": "x" * (MIN_SECRET_LENGTH - 1)},
        {"PRODUCTION": "yes"},
        {"PRODUCTION": "1"},
        {"PRODUCTION": "1", "SECRET_KEY": "x" * (MIN_SECRET_LENGTH - 1)},
        {"FEEDBACK_FOLDER": "given"},
        {"RETENTION_MINUTES": "an hour"},
        {"RETENTION_MINUTES": "0"},
        {"THREADS": "-1"},
    ],
)
def test_unusable_value_is_named(environment):
    with pytest.raises(SettingError, match=f"PLEURA_{next(iter(environment))}"):
        check_settings(settings(**environment))


def test_secrets_that_are_long_enough():
    secret = "x" * MIN_SECRET_LENGTH
    check_settings(settings(PRODUCTION="1", SECRET_KEY=secret, API="token", API_TOKEN=secret))


def test_injected_settings_are_checked_too():
    with pytest.raises(SettingError, match="PLEURA_API_TOKEN"):
        create_app({"API": "token"})


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_readme_documents_every_setting(setting):
    default = str(setting.default).lower() if isinstance(setting.default, bool) else str(setting.default)
    default = default.replace(f"{ROOT}/", "")
    shown = f"`{default}`" if default else ""
    assert f"| `PLEURA_{setting.name}` | {shown} | {setting.help} |" in README


def test_readme_documents_no_other_setting():
    assert README.count("| `PLEURA_") == len(SETTINGS)
