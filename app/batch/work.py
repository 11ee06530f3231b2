"""A folder's films, one after the other: what is done with each, and in which order."""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from app.analysis.analysis import AnalysedFilm, Analysis
from app.segmentation.errors import PleuraError
from app.segmentation.reading.film_file import demand_size, open_film

AHEAD = 4
"""Films in memory at once: one is answered, one read, the others wait for either."""


@dataclass(frozen=True)
class Entry:
    """A file, or a folder that cannot be read.

    Attributes:
        name: Path below the batch's folder, with slashes.
        path: Where it is.
        error: Why the file system refuses a folder; None for a file.
    """

    name: str
    path: Path
    error: OSError | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a file.

    Attributes:
        sha256: Of its content, hexadecimal; "" where it could not be read.
        film: The film and its answer, if there is one.
        error: Why there is none; neither, where its content is known already.
    """

    entry: Entry
    sha256: str
    film: AnalysedFilm | None = None
    error: PleuraError | OSError | None = None


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


def outcomes(films: Iterator[Entry], analysis: Analysis, is_known: Callable[[str], bool]) -> Generator[Outcome]:
    """Answer films in their order; the next one is read while one is answered.

    Args:
        films: From `entries`.
        analysis: The model at work.
        is_known: Whether a film need not be answered, by the hash of its content.
    """
    pending: deque[Future[Outcome]] = deque()
    with ThreadPoolExecutor(AHEAD) as threads:
        try:
            for entry in films:
                pending.append(threads.submit(outcome_of, entry, analysis, is_known))
                if len(pending) == AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def _entry(folder: Path, path: Path, error: OSError | None = None) -> Entry:
    return Entry(path.relative_to(folder).as_posix(), path, error)


def outcome_of(entry: Entry, analysis: Analysis, is_known: Callable[[str], bool]) -> Outcome:
    """Answer one film, unless it is known; arguments as `outcomes`."""
    if entry.error is not None:
        return Outcome(entry, "", error=entry.error)
    try:
        with open_film(entry.path) as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            if is_known(sha256):
                return Outcome(entry, sha256)
            demand_size(file.tell())
            file.seek(0)
            data = file.read()
        return Outcome(entry, sha256, analysis.analyse(data, "batch"))
    except OSError as error:
        return Outcome(entry, "", error=error)
    except PleuraError as error:
        return Outcome(entry, sha256, error=error)
