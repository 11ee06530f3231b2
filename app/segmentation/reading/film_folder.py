"""The files below a folder that may hold anything."""

import os
from collections.abc import Iterable, Iterator
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


def entries(folder: Path, apart_from: Iterable[Path] = ()) -> Iterator[Entry]:
    """List every file below a folder in the order of their names, and the folders that cannot be read.

    Hidden files and folders are left out, and links to folders are not followed.

    Args:
        folder: Where to look.
        apart_from: Files and folders to leave out, too, such as those that are being written.
    """
    apart = {os.path.realpath(path) for path in apart_from}
    refused: list[OSError] = []
    for place, folders, files in os.walk(folder, onerror=refused.append):
        real = os.path.realpath(place)
        shown = {name for name in (*folders, *files) if name[0] != "." and os.path.join(real, name) not in apart}
        folders[:] = sorted(shown.intersection(folders))
        yield from (_entry(folder, Path(error.filename), error) for error in refused)
        refused.clear()
        yield from (_entry(folder, Path(place, name)) for name in sorted(shown.intersection(files)))
    yield from (_entry(folder, Path(error.filename), error) for error in refused)


def _entry(folder: Path, path: Path, error: OSError | None = None) -> Entry:
    return Entry(path.relative_to(folder).as_posix(), path, error)
