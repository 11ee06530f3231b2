"""Programs of others that judge what was made."""

import subprocess
from pathlib import Path


def complaints(*command: str | Path, also: str = "Error") -> list[str]:
    """What a tool complains of; warnings are left out, unless `also` names them, and what only a disk's index needs."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, errors="replace", check=False
    )
    starts = "Error", "E:", "F:", also
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith(starts)]
    lines = [line for line in lines if "needed to build DICOMDIR" not in line]
    return lines or ([] if done.returncode == 0 else [f"{command[0]} answered {done.returncode}: {done.stderr}"])
