"""An archive answered by many machines, over Ray Data: paths travel, not pixels."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from app.analysis.analysis import Analysis
from app.analysis.reader import shared_reader
from app.batch.pictures import write_pictures
from app.batch.results import UNREADABLE, ResultsError, answered_row, refused_row
from app.batch.work import Entry, outcome_of
from app.config import ROOT
from app.segmentation.errors import PleuraError
from app.segmentation.predictor import Predictor
from app.web.problems import problem_of

FILMS_IN_A_TASK = 8
"""Whose rows travel together; so many films are answered again where a node fails."""
HERE = "here"
"""In place of a cluster's address: a cluster of this machine, for as long as the command runs."""


class Worker:
    """Answers films on one node: an actor, whose model is loaded once."""

    def __init__(self, settings: dict[str, Any], masks: str, dicom: str, known: Sequence[str]) -> None:
        """Load the model.

        Args:
            settings: As `app.config.read_settings` gives them, the same on every node.
            masks: Folder for masks, or "".
            dicom: Folder for DICOM objects, or "".
            known: Hashes of films that have a row.
        """
        predictor = Predictor.load(Path(settings["WEIGHTS"]), settings["ENGINE"], settings["THREADS"])
        reader = shared_reader(settings["READING_SECONDS"], settings["READING_MIB"])
        self.analysis, self.secret = Analysis(predictor, reader), settings["SECRET_KEY"]
        self.masks, self.dicom = (Path(folder) if folder else None for folder in (masks, dicom))
        self.known = frozenset(known)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list]:
        """Answer films.

        Args:
            batch: "name" and "path" of each.

        Returns:
            "name", "sha256" and "row" of each, the row as JSON; it is empty where the film's content has one.
        """
        made = [
            self._row(Entry(str(name), Path(str(path))))
            for name, path in zip(batch["name"], batch["path"], strict=True)
        ]
        return {
            "name": list(batch["name"]),
            "sha256": [sha256 for sha256, _ in made],
            "row": [json.dumps(row) for _, row in made],
        }

    def _row(self, entry: Entry) -> tuple[str, list[str]]:
        outcome = outcome_of(entry, self.analysis, self.known.__contains__)
        name, sha256, model = entry.name, outcome.sha256, self.analysis.predictor.sha256
        if isinstance(outcome.error, PleuraError):
            problem, detail = problem_of(outcome.error)
            row = refused_row(name, sha256, problem.code, detail, model)
        elif outcome.error is not None:
            row = refused_row(name, sha256, UNREADABLE, f"{outcome.error.strerror}.", model)
        elif outcome.film is None:
            row = []
        else:
            write_pictures(outcome, self.masks, self.dicom, self.secret)
            row = answered_row(name, sha256, outcome.film.answer)
        return sha256, [str(cell) for cell in row]


def rows_by_ray(
    films: Sequence[Entry],
    address: str,
    workers: int,
    settings: dict[str, Any],
    masks: Path | None,
    dicom: Path | None,
    known: Sequence[str],
) -> Iterator[tuple[str, str, list[str]]]:
    """Have films answered by a cluster; what a node that fails had in hand is answered by another one.

    Args:
        films: Files, under paths that every node sees.
        address: Of the cluster, or `HERE`.
        workers: How many models work at once, each on one core of the cluster.
        settings: As `app.config.read_settings` gives them.
        masks: Folder for masks that every node sees; None: not wanted.
        dicom: For DICOM objects, likewise.
        known: Hashes of films that have a row.

    Yields:
        Name, hash and row of a film, in no order; the row is empty where its content has one.

    Raises:
        ResultsError: If Ray is not installed, or there is no such cluster.
    """
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ResultsError("--ray needs Ray: pip install -r requirements-ray.txt.") from error
    if not ray.is_initialized():
        _connect(ray, address)
    ray.data.DataContext.get_current().enable_progress_bars = False
    given = {"settings": {**settings, "THREADS": settings["THREADS"] or 1}, "known": list(known)}
    given |= {name: str(folder.absolute()) if folder else "" for name, folder in (("masks", masks), ("dicom", dicom))}
    paths = [{"name": film.name, "path": str(film.path.absolute())} for film in films]
    blocks = max(workers, -(-len(paths) // FILMS_IN_A_TASK))
    answered = ray.data.from_items(paths, override_num_blocks=blocks).map_batches(
        Worker,
        fn_constructor_kwargs=given,
        batch_size=FILMS_IN_A_TASK,
        concurrency=workers,
        num_cpus=1,
        max_restarts=-1,
        max_task_retries=-1,
    )
    for row in answered.iter_rows():
        yield row["name"], row["sha256"], json.loads(row["row"])


def _connect(ray: Any, address: str) -> None:
    environment = {"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}}
    try:
        if address == HERE:
            ray.init(include_dashboard=False, log_to_driver=False, runtime_env=environment)
        else:
            ray.init(address, log_to_driver=False, runtime_env=environment)
    except (ConnectionError, ValueError) as error:
        raise ResultsError(f"There is no Ray cluster at {address}: {str(error).splitlines()[0]}") from error
