"""Answer every film of a folder: `python -m app.batch --help`."""

import argparse
import os
import sys
from pathlib import Path

from tqdm import tqdm

from app.analysis.analysis import Analysis
from app.analysis.keeping import kept_columns
from app.analysis.reader import shared_reader
from app.batch.results import UNREADABLE, Results, ResultsError
from app.batch.work import Outcome, entries, outcomes
from app.config import SettingError, check_settings, read_settings
from app.exports.catalogue import EXPORTS, exports_of
from app.exports.reading import Reading
from app.segmentation.errors import CheckpointError, PleuraError
from app.segmentation.predictor import Predictor
from app.studies.store import Study
from app.web.problems import problem_of

DICOM_EXPORTS = [export for export in EXPORTS if export.file in ("segmentation.dcm", "report.dcm")]


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
        answer = outcome.film.answer
        if options.masks and not answer.is_withheld:
            _write(options.masks / f"{sha256}.png", answer.mask.png)
        if options.dicom:
            columns = kept_columns(outcome.film, secret)
            now = outcome.entry.path.stat().st_mtime
            study = Study(
                id=answer.id, owner="", file_name=name, created_at=now, expires_at=now, answer=answer, **columns
            )
            offered = exports_of(study)
            for export in (export for export in DICOM_EXPORTS if export in offered):
                _write(options.dicom / f"{sha256}-{export.file}", export.make(Reading(study, secret), False))
        results.answered(name, sha256, answer)


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    try:
        draft.write_bytes(data)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    os.replace(draft, path)


if __name__ == "__main__":
    sys.exit(main())
