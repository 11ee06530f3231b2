"""What the blueprints work with: made once by `open_services`, found by `services`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from flask import Config, Flask, current_app

from app.analysis.analysis import Analysis
from app.analysis.readiness import Readiness
from app.analysis.saliency import Saliency
from app.analysis.turns import Turns
from app.segmentation.errors import CheckpointError
from app.segmentation.predictor import Predictor
from app.segmentation.reading.film_reader import shared_reader
from app.studies.database import default_url, opening_named
from app.studies.store import StudyStore
from app.studies.training_set import TrainingSet

KEY = "pleura"
"""Of the services in `Flask.extensions`."""

EXPORTS_WAITING = 8
"""As many as a film has: somebody may click them all."""


@dataclass(frozen=True)
class Services:
    """One of each, shared between the threads that answer requests.

    Attributes:
        predictor: The model.
        analysis: Films to answers, one at a time.
        exporting: Whose export is made next; several at once would keep the pages waiting for Python's lock.
        saliency: What moved an answer's score.
        readiness: Whether this process may be sent films.
        studies: Films and answers that are kept for a while.
        training_set: Films that readers gave for training; None where the operator named no folder for them.
    """

    predictor: Predictor
    analysis: Analysis
    exporting: Turns
    saliency: Saliency
    readiness: Readiness
    studies: StudyStore
    training_set: TrainingSet | None


def open_services(app: Flask) -> Services:
    """Load the model and open the studies of an application whose settings are checked.

    Raises:
        CheckpointError: If the weights cannot be loaded.
        SettingError: If the database cannot be opened, or the folder of given films not be written to.
    """
    settings = app.config
    predictor = Predictor.load(Path(settings["WEIGHTS"]), settings["ENGINE"], settings["THREADS"])
    _check_hash(predictor.sha256, Path(settings["WEIGHTS"]), settings["WEIGHTS_SHA256"])
    analysis = Analysis(predictor, shared_reader(settings["READING_SECONDS"], settings["READING_MIB"]))
    studies = _open_studies(Path(app.instance_path), settings)
    opened = Services(
        predictor=predictor,
        analysis=analysis,
        exporting=Turns(EXPORTS_WAITING),
        saliency=Saliency(analysis),
        readiness=Readiness(analysis, Path(settings["WEIGHTS"]), studies.objection),
        studies=studies,
        training_set=TrainingSet(Path(settings["FEEDBACK_FOLDER"])) if settings["FEEDBACK_FOLDER"] else None,
    )
    app.extensions[KEY] = opened
    return opened


def services(app: Flask | None = None) -> Services:
    """Return the services of an application; without one, of that which answers the present request."""
    return cast(Services, (app or current_app).extensions[KEY])


def _check_hash(found: str, weights: Path, expected: str) -> None:
    """Refuse weights that are not those that were released; a single changed byte may pass the canary.

    Raises:
        CheckpointError: If they are not.
    """
    released = weights.with_name("metrics.json")
    if not expected and released.is_file():
        try:
            expected = json.loads(released.read_text()).get("sha256", "")
        except (OSError, ValueError, AttributeError) as error:
            raise CheckpointError(f"{released}, which names the hash of the weights, is damaged.") from error
    if expected and found != expected.lower():
        raise CheckpointError(
            f"The weights at {weights} have the hash {found}, not {expected}, which was released. Copy them again; or, "
            "where they are meant to be others, set PLEURA_WEIGHTS_SHA256."
        )


def _open_studies(instance_folder: Path, settings: Config) -> StudyStore:
    with opening_named():
        studies = StudyStore(
            settings["DATABASE_URL"] or default_url(instance_folder),
            60 * settings["RETENTION_MINUTES"],
            most_bytes=settings["MAX_KEPT_MIB"] * 2**20,
            audit_days=settings["AUDIT_DAYS"],
            longest_seconds=60 * settings["LONGEST_MINUTES"],
        )
    studies.purge()
    studies.start_purging()
    return studies
