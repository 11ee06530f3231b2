"""Answer every film of a folder: `python -m app.batch --help`."""

import argparse
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from app.analysis.analysis import Analysis
from app.analysis.reader import shared_reader
from app.batch.pictures import write_pictures
from app.batch.ray_work import HERE, rows_by_ray
from app.batch.results import UNREADABLE, Results, ResultsError
from app.batch.work import Outcome, entries, outcomes
from app.config import SettingError, check_settings, read_settings
from app.segmentation.errors import CheckpointError, PleuraError
from app.segmentation.predictor import Predictor
from app.web.problems import problem_of


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
        for folder in filter(None, (options.masks, options.dicom)):
            folder.mkdir(parents=True, exist_ok=True)
        predictor = Predictor.load(Path(settings["WEIGHTS"]), settings["ENGINE"], settings["THREADS"])
        analysis = Analysis(predictor, shared_reader(settings["READING_SECONDS"], settings["READING_MIB"]))
        with Results(options.out, predictor.sha256) as results:
            if options.ray:
                return _run_by_ray(options, results, settings)
            return _run(options, analysis, results, settings["SECRET_KEY"])
    except (SettingError, CheckpointError, ResultsError) as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"{error.filename or options.out}: {error.strerror}.", file=sys.stderr)
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
    parser.add_argument("--dicom", type=Path, help="folder for a segmentation and a structured report of each")
    parser.add_argument(
        "--ray", metavar="ADDRESS", help=f'have a Ray cluster do it: its address, or "{HERE}" (requirements-ray.txt)'
    )
    parser.add_argument("--workers", type=int, default=2, help="models at once on the cluster, a core each (2)")
    return parser


def _run(options: argparse.Namespace, analysis: Analysis, results: Results, secret: str) -> int:
    total = sum(1 for _ in entries(options.films))
    work = outcomes(entries(options.films), analysis, results.known.__contains__)
    try:
        for outcome in tqdm(work, total=total, unit="film", mininterval=1, file=sys.stderr):
            _keep(outcome, options, results, secret)
    except KeyboardInterrupt:
        print(
            f"\nInterrupted; {len(results.paths)} of {total} films have a row. Run it again to go on.", file=sys.stderr
        )
        return 130
    return 0


def _run_by_ray(options: argparse.Namespace, results: Results, settings: dict[str, Any]) -> int:
    """Write what the cluster makes of the films; refused folders are seen here, and never travel."""
    found = list(entries(options.films))
    for entry in (entry for entry in found if entry.error is not None and not results.has(entry.name, "")):
        assert entry.error is not None
        results.refused(entry.name, "", UNREADABLE, f"{entry.error.strerror}.")
    films = [entry for entry in found if entry.error is None]
    known = list(results.known)
    rows = rows_by_ray(films, options.ray, max(1, options.workers), settings, options.masks, options.dicom, known)
    try:
        for name, sha256, row in tqdm(rows, total=len(films), unit="film", mininterval=1, file=sys.stderr):
            if not results.has(name, sha256) and not (sha256 and results.repeat(name, sha256)):
                results.append(row)
    except KeyboardInterrupt:
        print(f"\nInterrupted; {len(results.paths)} of {len(found)} films have a row. Run it again.", file=sys.stderr)
        return 130
    return 0


def _keep(outcome: Outcome, options: argparse.Namespace, results: Results, secret: str) -> None:
    """Write what became of a film: its pictures first, so that no row is without them."""
    name, sha256 = outcome.entry.name, outcome.sha256
    if results.has(name, sha256) or (sha256 and results.repeat(name, sha256)):
        return
    if isinstance(outcome.error, PleuraError):
        problem, detail = problem_of(outcome.error)
        results.refused(name, sha256, problem.code, detail)
    elif outcome.error is not None:
        results.refused(name, sha256, UNREADABLE, f"{outcome.error.strerror}.")
    else:
        assert outcome.film is not None  # neither film nor error: known by its content
        write_pictures(outcome, options.masks, options.dicom, secret)
        results.answered(name, sha256, outcome.film.answer)


if __name__ == "__main__":
    sys.exit(main())
