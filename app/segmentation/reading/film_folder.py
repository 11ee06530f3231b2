"""The files below a folder that may hold anything."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """A file, or a folder that cannot be read.

    Attributes:
        name: Path below the folder, with slashes.
        path: Where it is.
        error: Why the file system refuses a folder; None for a file.
    """

    name: str
    path: Path
    error: OSError | None = None


def entries(folder: Path) -> Iterator[Entry]:
    """List every file below a folder in the order of their names, and the folders that cannot be read.

    Hidden files and folders are left out, and links to folders are not followed.
    """
    refused: list[OSError] = []
    for place, folders, files in os.walk(folder, onerror=refused.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (_entry(folder, Path(error.filename), error) for error in refused)
        refused.clear()
        yield from (_entry(folder, Path(place, name)) for name in sorted(files) if not name.startswith("."))
    yield from (_entry(folder, Path(error.filename), error) for error in refused)


def _entry(folder: Path, path: Path, error: OSError | None = None) -> Entry:
    return Entry(path.relative_to(folder).as_posix(), path, error)
