"""Settings: read from the environment, checked at the start, and all of them documented."""

import pytest

from app import create_app
from app.config import MIN_SECRET_LENGTH, ROOT, SETTINGS, SettingError, check_settings, read_settings
from app.studies import __main__ as commands

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
        {"THREADS": "100000"},
        {"AUDIT_DAYS": "1000000"},
        {"READING_SECONDS": "1000000"},
        {"MAX_KEPT_MIB": "1" + "0" * 30},
        {"RATE_LIMIT": "often"},
        {"RATE_LIMIT": "2"},
        {"RATE_LIMIT": "2/fortnight"},
        {"HOSTS": "pleura.example.org:8443"},
        {"HOSTS": "other.example, https://pleura.example.org"},
        {"HOSTS": "*.example.org"},
        {"HOSTS": "[::1]"},
        {"API_TOKEN": "x" * MIN_SECRET_LENGTH + "\n", "API": "token"},
        {"MONITORING_TOKEN": "x" * MIN_SECRET_LENGTH + " "},
    ],
)
def test_unusable_value_is_named(environment):
    with pytest.raises(SettingError, match=f"PLEURA_{next(iter(environment))}"):
        check_settings(settings(**environment))


def test_secrets_that_are_long_enough():
    secret = "x" * MIN_SECRET_LENGTH
    check_settings(settings(PRODUCTION="1", SECRET_KEY=secret, API="token", API_TOKEN=secret))


def test_hosts_and_limits_that_are_understood():
    check_settings(settings(HOSTS="Pleura.example.org, 10.0.0.7,fd00::7,", RATE_LIMIT="240/minute; 5000 per day"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RATE_STORAGE", "bogus://"),
        ("RATE_STORAGE", "redis://localhost:port"),
        ("DATABASE_URL", "studies.sqlite"),
        ("DATABASE_URL", "postgres://pleura:SECRET@localhost/pleura"),
        ("DATABASE_URL", "postgresql://pleura:SEC/RET@localhost/pleura"),
        ("DATABASE_URL", "postgresql+psycopg://pleura:SECRET@127.0.0.1:1/pleura"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:///{folder}/none/studies.sqlite"),
        ("DATABASE_URL", "sqlite:///{folder}"),
    ],
)
def test_what_cannot_be_opened_is_named(make_app, tmp_path, name, value):
    with pytest.raises(SettingError, match=f"PLEURA_{name}") as refusal:
        make_app(**{name: value.format(folder=tmp_path)})
    assert "SEC" not in str(refusal.value)
    assert str(refusal.value).count("\n") == 0


@pytest.mark.parametrize("url", ["studies.sqlite", "sqlite:///{folder}/none/studies.sqlite"])
def test_the_operator_s_commands_name_it_too(monkeypatch, tmp_path, capsys, url):
    monkeypatch.setenv("PLEURA_DATABASE_URL", url.format(folder=tmp_path))
    monkeypatch.setattr("sys.argv", ["studies", "migrate"])
    with pytest.raises(SystemExit) as end:
        commands.main()
    assert end.value.code == 1
    assert "PLEURA_DATABASE_URL" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [["audit"], ["token", "list"], ["token", "add", "ward"], ["token", "revoke", "ward"]]
)
def test_the_operator_s_commands_tell_an_outage_in_a_sentence(monkeypatch, tmp_path, capsys, command):
    def lose(engine):
        engine.dispose()
        (tmp_path / "studies.sqlite").write_bytes(b"")

    monkeypatch.setenv("PLEURA_DATABASE_URL", f"sqlite:///{tmp_path / 'studies.sqlite'}")
    monkeypatch.setattr(commands, "migrate", lose)
    monkeypatch.setattr("sys.argv", ["studies", *command])
    with pytest.raises(SystemExit) as end:
        commands.main()
    assert end.value.code == 1
    assert capsys.readouterr().err == "The server's database does not answer. Try again in a while.\n"


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
