"""A folder's films, one after the other: what is done with each, and in which order."""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue

from app.analysis.analysis import AnalysedFilm, Analysis
from app.segmentation.errors import PleuraError
from app.segmentation.reading.film_file import demand_size, open_film
from app.segmentation.reading.film_folder import Entry

AHEAD = 2
"""Films in memory besides those that are answered: done before an earlier one, or wait to be."""


@dataclass(frozen=True)
class Outcome:
    """What became of a file.

    Attributes:
        sha256: Of its content, hexadecimal; "" where it could not be read.
        modified_at: When the file was last written, seconds since the epoch; it may be gone by now.
        film: The film and its answer, if there is one.
        error: Why there is none; neither, where its content is known already.
    """

    entry: Entry
    sha256: str
    modified_at: float = 0.0
    film: AnalysedFilm | None = None
    error: PleuraError | OSError | None = None


def outcomes(
    films: Iterator[Entry], analyses: Sequence[Analysis], is_known: Callable[[str], bool]
) -> Generator[Outcome]:
    """Answer films in their order, as many at once as there are models; one is read while others are answered.

    Args:
        films: From `film_folder.entries`.
        analyses: The model at work, once or several times.
        is_known: Whether a film need not be answered, by the hash of its content.
    """
    free: SimpleQueue[Analysis] = SimpleQueue()
    for analysis in analyses:
        free.put(analysis)

    def work(entry: Entry) -> Outcome:
        analysis = free.get()
        try:
            return outcome_of(entry, analysis, is_known)
        finally:
            free.put(analysis)

    pending: deque[Future[Outcome]] = deque()
    with ThreadPoolExecutor(len(analyses)) as threads:
        try:
            for entry in films:
                pending.append(threads.submit(work, entry))
                if len(pending) == len(analyses) + AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def outcome_of(entry: Entry, analysis: Analysis, is_known: Callable[[str], bool]) -> Outcome:
    """Answer one film, unless it is known; arguments as those of `outcomes`."""
    if entry.error is not None:
        return Outcome(entry, "", error=entry.error)
    try:
        with open_film(entry.path) as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            if is_known(sha256):
                return Outcome(entry, sha256)
            demand_size(file.tell())
            file.seek(0)
            data, modified_at = file.read(), os.fstat(file.fileno()).st_mtime
        return Outcome(entry, sha256, modified_at, analysis.analyse(data, "batch"))
    except OSError as error:
        return Outcome(entry, "", error=error)
    except PleuraError as error:
        return Outcome(entry, sha256, error=error)
