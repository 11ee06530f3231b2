"""Where pictures and maps of films may be written: never where a commit would take them along."""

import subprocess
from pathlib import Path

from training.errors import UserError

REPOSITORY = Path(__file__).resolve().parents[2]


def demand_private(folder: Path) -> None:
    """Refuse a folder inside the repository, unless git ignores it.

    Raises:
        UserError: If a commit might take the folder along.
    """
    folder = folder.resolve()
    if not folder.is_relative_to(REPOSITORY):
        return
    asked = subprocess.run(["git", "check-ignore", "--quiet", folder], cwd=REPOSITORY, capture_output=True)
    if asked.returncode != 0:
        raise UserError(f"{folder} lies in the repository, and what is written there shows films; name another --out.")
