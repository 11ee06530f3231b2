"""Answer every film of a folder: the command."""

import argparse
import os
import signal
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from app.analysis.analysis import Analysis
from app.batch.pictures import Pictures
from app.batch.ray_work import HERE, rows_by_ray
from app.batch.results import Results, ResultsError
from app.batch.rows import row_of
from app.batch.work import outcomes
from app.config import SettingError, available_cores, check_settings, read_settings
from app.segmentation.errors import CheckpointError
from app.segmentation.predictor import Predictor
from app.segmentation.reading.film_folder import Entry, entries
from app.segmentation.reading.film_reader import shared_reader

MOST_AT_ONCE = 4
"""Films: each needs a network in memory, and one process reads them all."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit status: 0 if every film has a row, 1 if the run cannot go on, 130 if it was interrupted.
    """
    options = _parser().parse_args(arguments)
    try:
        settings = read_settings()
        check_settings(settings)
        if not options.films.is_dir():
            raise ResultsError(f"{options.films} is no folder.")
        written = list(filter(None, (options.masks, options.dicom)))
        _demand_own_folders(options.films, written)
        for folder in written:
            folder.mkdir(parents=True, exist_ok=True)
        count, threads = at_once(settings["THREADS"], available_cores())
        weights, engine = Path(settings["WEIGHTS"]), settings["ENGINE"]
        predictors = [Predictor.load(weights, engine, threads) for _ in range(1 if options.ray else count)]
        with _one_interruption(), Results(options.out, predictors[0].sha256) as results:
            return _run(options, predictors, results, settings)
    except (SettingError, CheckpointError, ResultsError) as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"{error.filename or options.out}: {error.strerror}.", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app.batch",
        description="Answer every film below a folder: a row each, refused files with the reason's code. "
        "A run that was interrupted goes on where it stopped. PLEURA_WEIGHTS names other weights.",
    )
    parser.add_argument("films", type=Path, help="folder of DICOM, PNG, JPEG or WebP files")
    parser.add_argument("--out", type=Path, required=True, help="table to write, or to go on with (CSV)")
    parser.add_argument("--masks", type=Path, help="folder for the masks of answered films: <sha256>.png")
    parser.add_argument("--dicom", type=Path, help="folder for DICOM objects of each film")
    parser.add_argument(
        "--ray", metavar="ADDRESS", help=f'have a Ray cluster do it: its address, or "{HERE}" (requirements-ray.txt)'
    )
    parser.add_argument("--workers", type=int, default=2, help="models at once on the cluster, a core each (2)")
    return parser


def _demand_own_folders(films: Path, written: Iterable[Path]) -> None:
    for folder in written:
        if os.path.realpath(folder) == os.path.realpath(films):
            raise ResultsError(f"{folder} is where the films are; name a folder of its own for what is written.")


def at_once(threads: int, cores: int) -> tuple[int, int]:
    """Say how many films are answered at once, and by how many threads each.

    Two films on a core each take less time than one after the other on both, and what is done around the network
    takes none.

    Args:
        threads: Of one film; 0: as is best.
        cores: Of this process.
    """
    count = max(1, min(MOST_AT_ONCE, cores // (threads or 1)))
    return count, threads or max(1, cores // count)


def _run(
    options: argparse.Namespace, predictors: Sequence[Predictor], results: Results, settings: dict[str, Any]
) -> int:
    """Write a row for every film that has none, whoever makes it."""
    pictures = Pictures(options.masks, options.dicom, settings["SECRET_KEY"])
    written = list(filter(None, (results.path, results.draft, options.masks, options.dicom)))  # no films, if among them
    total = sum(1 for _ in entries(options.films, written))
    films = entries(options.films, written)
    if options.ray:
        rows = rows_by_ray(films, options.ray, options.workers, settings, pictures, results)
    else:
        reader = shared_reader(settings["READING_SECONDS"], settings["READING_MIB"])
        analyses = [Analysis(predictor, reader) for predictor in predictors]
        rows = _rows_here(films, analyses, pictures, results)
    try:
        with closing(rows):
            for name, sha256, row in tqdm(rows, total=total, unit="film", mininterval=1, file=sys.stderr):
                if not results.has(name, sha256) and not (sha256 and results.repeat(name, sha256)):
                    results.append(row)
    except KeyboardInterrupt:
        print(f"\nInterrupted; {len(results)} of {total} films have a row. Run it again to go on.", file=sys.stderr)
        return 130
    return 0


def _rows_here(
    films: Iterator[Entry], analyses: Sequence[Analysis], pictures: Pictures, results: Results
) -> Generator[tuple[str, str, list[object]]]:
    with closing(outcomes(films, analyses, results.knows)) as work:
        for outcome in work:
            yield outcome.entry.name, outcome.sha256, row_of(outcome, results.model_sha256, pictures)


@contextmanager
def _one_interruption() -> Iterator[None]:
    """Take the first Ctrl-C, or SIGTERM, as an interruption; what is in hand is then finished, whatever comes after.

    Until this process has ended: a second one that comes a moment later would kill it without its word.
    """
    signals = (signal.SIGINT, signal.SIGTERM)

    def interrupt(*_given: object) -> None:
        for one in signals:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {one: signal.signal(one, interrupt) for one in signals}
    try:
        yield
    finally:
        for one, handler in before.items():
            if signal.getsignal(one) is interrupt:
                signal.signal(one, handler)
