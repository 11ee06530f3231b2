"""An archive answered by many machines, over Ray Data: paths travel, not pixels."""

import json
import os
import re
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import Any

from app.analysis.analysis import Analysis
from app.batch.pictures import Pictures
from app.batch.results import Results, ResultsError
from app.batch.rows import row_of
from app.batch.work import Outcome, outcome_of
from app.config import ROOT
from app.segmentation.predictor import Predictor
from app.segmentation.reading.film_folder import Entry
from app.segmentation.reading.film_reader import shared_reader

FILMS_IN_A_TASK = 8
"""Whose rows travel together; so many films are answered again where a node fails."""
HERE = "here"
"""In place of a cluster's address: a cluster of this machine, for as long as the command runs."""


class Worker:
    """Answers films on one node: an actor, whose model is loaded once."""

    def __init__(self, settings: dict[str, Any], pictures: Pictures, known: Sequence[str]) -> None:
        """Load the model.

        Args:
            settings: As `app.config.read_settings` gives them, the same on every node.
            pictures: What is wanted beside the table.
            known: Hashes of films that have a row.
        """
        predictor = Predictor.load(Path(settings["WEIGHTS"]), settings["ENGINE"], settings["THREADS"])
        reader = shared_reader(settings["READING_SECONDS"], settings["READING_MIB"])
        self.analysis, self.pictures, self.known = Analysis(predictor, reader), pictures, frozenset(known)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list]:
        """Answer films.

        Args:
            batch: "name" and "path" of each, as `_sent` makes them.

        Returns:
            "name", "sha256" and "row" of each, the row as JSON; it is empty where the film's content has one.
        """
        names, paths = ([_received(text) for text in batch[column]] for column in ("name", "path"))
        made = [self._row(Entry(name, Path(path))) for name, path in zip(names, paths, strict=True)]
        return {
            "name": list(batch["name"]),
            "sha256": [sha256 for sha256, _ in made],
            "row": [json.dumps(row) for _, row in made],
        }

    def _row(self, entry: Entry) -> tuple[str, list[str]]:
        outcome = outcome_of(entry, self.analysis, self.known.__contains__)
        row = row_of(outcome, self.analysis.predictor.sha256, self.pictures)
        return outcome.sha256, [str(cell) for cell in row]


def rows_by_ray(
    films: Iterable[Entry],
    address: str,
    workers: int,
    settings: dict[str, Any],
    pictures: Pictures,
    results: Results,
) -> Generator[tuple[str, str, list[object]]]:
    """Have films answered by a cluster; what a node that fails had in hand is answered by another one.

    Args:
        films: Files, under paths that every node sees. Folders that cannot be read never travel.
        address: Of the cluster, or `HERE`.
        workers: How many models work at once, each on one core of the cluster.
        settings: As `app.config.read_settings` gives them.
        pictures: What is wanted beside the table, in folders that every node sees.
        results: The table, for what it knows already.

    Yields:
        Name, hash and row of a film, in no order; the row is empty where its content has one.

    Raises:
        ResultsError: If Ray is not installed, there is no such cluster, or it cannot go on.
    """
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ResultsError("--ray needs Ray: pip install -r requirements-ray.txt.") from error
    paths = []
    for film in films:
        if film.error is None:
            paths.append({"name": _sent(film.name), "path": _sent(str(film.path.absolute()))})
        else:
            yield film.name, "", row_of(Outcome(film, "", error=film.error), results.model_sha256, pictures)
    if not paths:
        return
    if not ray.is_initialized():
        _connect(ray, address)
    ray.data.DataContext.get_current().enable_progress_bars = False
    masks, dicom = (folder and folder.absolute() for folder in (pictures.masks, pictures.dicom))
    weights = str(Path(settings["WEIGHTS"]).absolute())
    given = {
        "settings": {**settings, "WEIGHTS": weights, "THREADS": settings["THREADS"] or 1},
        "pictures": Pictures(masks, dicom, pictures.secret),
        "known": results.known,
    }
    workers = max(1, workers)
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
    try:
        for row in answered.iter_rows():
            yield _received(row["name"]), row["sha256"], json.loads(row["row"])
    except ray.exceptions.RayError as error:
        raise ResultsError(f"The cluster cannot go on: {_cause(error)} Nothing is lost: go on later.") from error


def _sent(path: str) -> str:
    """Put a path into characters that travel, whatever bytes it has."""
    return os.fsencode(path).decode("latin-1")


def _received(text: str) -> str:
    return os.fsdecode(str(text).encode("latin-1"))


def _cause(error: Exception) -> str:
    """Say what went wrong on a node: the last error that Ray's account of it names, not Ray's own if it can."""
    lines = [line.strip().rstrip(".") for line in str(error).splitlines()]
    named = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b: ", line)]
    others = [line for line in named if not line.startswith("ray.")]
    return f"{(others or named or lines or [type(error).__name__])[-1]}."


def _connect(ray: Any, address: str) -> None:
    environment = {"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}}
    try:
        if address == HERE:
            ray.init("local", include_dashboard=False, log_to_driver=False, runtime_env=environment)
        else:
            ray.init(address, log_to_driver=False, runtime_env=environment)
    except (ConnectionError, ValueError) as error:
        raise ResultsError(f"There is no Ray cluster at {address}: {str(error).splitlines()[0]}") from error
