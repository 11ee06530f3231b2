"""Settings of the web application, each read from the environment variable of its name."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Setting:
    """One setting: `PLEURA_<name>` in the environment, `<name>` in the application's config."""

    name: str
    default: object
    help: str

    def parse(self, text: str) -> object:
        """Read the environment's text as the default's type; a setting without a default is text.

        Raises:
            ValueError: If the text is no value of that type.
        """
        if isinstance(self.default, bool):
            if text.lower() not in ("0", "1", "false", "true"):
                raise ValueError(f"PLEURA_{self.name} must be true or false, not {text!r}.")
            return text.lower() in ("1", "true")
        if isinstance(self.default, int):
            try:
                return int(text)
            except ValueError:
                raise ValueError(f"PLEURA_{self.name} must be a whole number, not {text!r}.") from None
        return text


SETTINGS = (
    Setting("WEIGHTS", str(ROOT / "model_weights" / "pleura.safetensors"), "Path of the released checkpoint."),
    Setting("DATABASE_URL", "", "SQLAlchemy URL of the studies; empty: SQLite in the instance folder."),
    Setting("RETENTION_MINUTES", 60, "Minutes a study, its film and its result are kept."),
    Setting("SECRET_KEY", "", "Signs sessions and forms; demanded in production, drawn at each start in development."),
    Setting("PRODUCTION", False, "Refuse to start without a secret; send cookies over HTTPS only."),
    Setting("SECURE_COOKIES", False, "Send cookies over HTTPS only, whatever else is set."),
    Setting("API", "off", "The JSON API: off, token, or open."),
    Setting("API_TOKEN", "", "The bearer token that PLEURA_API=token demands."),
    Setting("THREADS", 0, "Threads of one inference; 0: as many as the process has cores."),
)


def read_settings(environment: Mapping[str, str] = os.environ) -> dict[str, object]:
    """Read every setting from the environment, or take its default.

    Raises:
        ValueError: If a value is not of its setting's type.
    """
    return {
        setting.name: setting.parse(environment[f"PLEURA_{setting.name}"])
        if environment.get(f"PLEURA_{setting.name}")
        else setting.default
        for setting in SETTINGS
    }
