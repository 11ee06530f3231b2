"""Files that are there whole or not at all."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

ENDING = ".unfinished"


def write_whole(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a file whole or not at all, in place of what stands there; of two that write the same at once, either.

    Args:
        path: The file.
        data: Its content.
        mode: Who may read it; the process's mask takes away from that.

    Raises:
        OSError: If it cannot be written; nothing is left of it then.
    """
    draft = path.with_name(f".{secrets.token_hex(8)}{ENDING}")
    try:
        with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as file:
            file.write(data)
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error  # a full disk names no file by itself
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def drafts(folder: Path) -> Iterable[Path]:
    """List what writers that were killed have left in a folder, and what others are writing now."""
    return folder.glob(f".*{ENDING}")
