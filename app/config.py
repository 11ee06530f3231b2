"""Settings of the web application, each read from the environment variable of its name."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limits import parse_many

ROOT = Path(__file__).resolve().parent.parent
MIN_SECRET_LENGTH = 32
AUDIT_DAYS = 365
"""Where no setting says otherwise: a year."""
HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*", re.IGNORECASE)
"""A name, or an address, as a request has it."""


class SettingError(ValueError):
    """A setting has no usable value; the message says which, and what would be one."""


@dataclass(frozen=True)
class Setting:
    """One setting: `PLEURA_<name>` in the environment, `<name>` in the application's config.

    Attributes:
        default: Its type is the setting's: bool, int or str.
        choices: The only values of a text; empty where any will do.
        minimum: The smallest value of a number.
        maximum: The largest: what follows from a larger one, no clock or kernel counts.
        may_be_empty: Whether an empty variable is a value, rather than one that is not set.
    """

    name: str
    default: bool | int | str
    help: str
    choices: tuple[str, ...] = ()
    minimum: int = 0
    maximum: int = 10**9
    may_be_empty: bool = False

    def parse(self, text: str) -> bool | int | str:
        """Read the environment's text as the default's type.

        Raises:
            SettingError: If the text is no value of that type.
        """
        if isinstance(self.default, bool):
            if text.lower() not in ("0", "1", "false", "true"):
                raise SettingError(f"PLEURA_{self.name} must be true or false, not {text!r}.")
            return text.lower() in ("1", "true")
        if isinstance(self.default, int):
            try:
                return int(text)
            except ValueError:
                raise SettingError(f"PLEURA_{self.name} must be a whole number, not {text!r}.") from None
        return text

    def check(self, value: bool | int | str) -> None:
        """Refuse a value outside the setting's range.

        Raises:
            SettingError: If it is.
        """
        if self.choices and value not in self.choices:
            raise SettingError(f"PLEURA_{self.name} must be one of {', '.join(self.choices)}, not {value!r}.")
        if isinstance(value, int) and value < self.minimum:
            raise SettingError(f"PLEURA_{self.name} must be at least {self.minimum}, not {value}.")
        if isinstance(value, int) and value > self.maximum:
            raise SettingError(f"PLEURA_{self.name} must be at most {self.maximum}, not {value}.")


SETTINGS = (
    Setting("WEIGHTS", str(ROOT / "model_weights" / "pleura.safetensors"), "Path of the released checkpoint."),
    Setting("DATABASE_URL", "", "SQLAlchemy URL of the studies; empty: SQLite in the instance folder."),
    Setting("RETENTION_MINUTES", 60, "Minutes a study, its film and its result are kept.", minimum=1),
    Setting("LONGEST_MINUTES", 480, "Minutes after which a study is deleted even if its reader asks for longer."),
    Setting("MAX_KEPT_MIB", 4096, "MiB of pictures that all sessions together keep; 0: no limit but the disk's."),
    Setting(
        "AUDIT_DAYS",
        AUDIT_DAYS,
        "Days that the audit trail keeps who did what with which film.",
        minimum=1,
        maximum=36_500,
    ),
    Setting(
        "HOSTS",
        "",
        "Names, by commas, under which the server is asked; empty: loopback's, in production any over HTTPS.",
    ),
    Setting(
        "RATE_LIMIT",
        "240/minute",
        "Films that one address may send, in Flask-Limiter's words; empty: any number.",
        may_be_empty=True,
    ),
    Setting("RATE_STORAGE", "memory://", "Where requests are counted: each process for itself, or redis://…, shared."),
    Setting("PROXIES", 0, "Proxies in front whose X-Forwarded-For is believed; 0: the address is the connection's."),
    Setting("LOG", "text", "Form of the log: text, or json with the id of each request.", choices=("text", "json")),
    Setting("WEIGHTS_SHA256", "", "Hash that the weights must have; empty: that in metrics.json beside them, if any."),
    Setting("SECRET_KEY", "", "Signs sessions and forms; demanded in production, drawn at each start in development."),
    Setting("PRODUCTION", False, "Refuse to start without a secret; send cookies over HTTPS only."),
    Setting("SECURE_COOKIES", False, "Send cookies over HTTPS only, whatever else is set."),
    Setting("API", "off", "The JSON API: off, token, or open.", choices=("off", "token", "open")),
    Setting("API_TOKEN", "", "The bearer token that PLEURA_API=token demands."),
    Setting("MONITORING_TOKEN", "", "The token that /monitoring and /metrics demand; empty: there are none."),
    Setting("ACCEPTANCE", "", "Path of the acceptance.json that /monitoring compares with; empty: none."),
    Setting("FEEDBACK_FOLDER", "", "Folder for films that readers give for training; empty: nobody is asked."),
    Setting("EXAMPLES", "on", "Offer synthetic example films on the start page: on or off.", choices=("on", "off")),
    Setting(
        "READING_SECONDS",
        10,
        "Seconds of work that decoding one film may take; thrice that by the clock.",
        minimum=1,
        maximum=86_400,
    ),
    Setting("READING_MIB", 1536, "MiB of memory that decoding one film may take.", minimum=256),
    Setting(
        "ENGINE",
        "auto",
        "What computes the network: openvino, int8, torch, or auto: OpenVINO where it loads, else PyTorch.",
        choices=("auto", "openvino", "int8", "torch"),
    ),
    Setting(
        "THREADS",
        0,
        "Threads of one inference; 0: the cores of the process, shared among gunicorn's workers.",
        maximum=1024,
    ),
)


def read_settings(environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Read every setting from the environment, or take its default, as for most of them where the variable is empty.

    Raises:
        SettingError: If a value is not of its setting's type.
    """
    return {
        setting.name: setting.default if text is None or not (text or setting.may_be_empty) else setting.parse(text)
        for setting in SETTINGS
        for text in [environment.get(f"PLEURA_{setting.name}")]
    }


def check_settings(settings: Mapping[str, Any]) -> None:
    """Refuse settings that the application must not start with.

    Args:
        settings: A value for every name in `SETTINGS`.

    Raises:
        SettingError: If a value is out of range, means nothing, or lacks another that it needs.
    """
    for setting in SETTINGS:
        setting.check(settings[setting.name])
    _check_hosts(settings["HOSTS"])
    _check_rate(settings["RATE_LIMIT"])
    for name in ("API_TOKEN", "MONITORING_TOKEN"):
        token = settings[name]
        if not token.isprintable() or token != token.strip():
            raise SettingError(f"PLEURA_{name} must be printable, with no blank at an end: nobody could send it.")
    secrets_needed = (
        ("API_TOKEN", "PLEURA_API=token", settings["API"] == "token"),
        ("SECRET_KEY", "PLEURA_PRODUCTION", settings["PRODUCTION"]),
        ("MONITORING_TOKEN", "PLEURA_MONITORING_TOKEN", settings["MONITORING_TOKEN"]),
        # With another secret at each start nobody could withdraw a film, and one patient would be many.
        ("SECRET_KEY", "PLEURA_FEEDBACK_FOLDER", settings["FEEDBACK_FOLDER"]),
    )
    for name, reason, needed in secrets_needed:
        if needed and len(settings[name]) < MIN_SECRET_LENGTH:
            raise SettingError(
                f"{reason} needs PLEURA_{name}, a secret of at least {MIN_SECRET_LENGTH} characters; "
                'draw one with: python -c "import secrets; print(secrets.token_hex())"'
            )


def _check_hosts(names: str) -> None:
    for name in filter(None, (name.strip() for name in names.split(","))):
        if not HOST.fullmatch(name):
            raise SettingError(
                f"PLEURA_HOSTS must be names or addresses, by commas, without scheme, port or brackets, not {name!r}."
            )


def _check_rate(limit: str) -> None:
    try:
        parse_many(limit or "1/minute")
    except ValueError:
        raise SettingError(f"PLEURA_RATE_LIMIT must be like 240/minute, not {limit!r}.") from None


def available_cores(control_groups: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")) -> int:
    """Count the cores this process may keep busy: its affinity, less any CPU quota (control groups, version 2)."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    lines = membership.read_text().splitlines() if membership.is_file() else []
    for group in (line.removeprefix("0::/") for line in lines if line.startswith("0::")):
        for folder in (control_groups / group, *(control_groups / group).parents):
            limit = folder / "cpu.max"
            quota, period = limit.read_text().split() if limit.is_file() else ("max", "")
            if quota != "max":
                cores = min(cores, max(1, int(quota) // int(period)))
    return cores
