"""The web application: upload a film, see the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

    from app.segmentation.predictor import Predictor
    from app.studies.store import StudyStore
    from app.studies.training_set import TrainingSet


def create_app(config: Mapping[str, object] | None = None) -> Flask:
    """Build the application and load its model.

    Flask is imported here and below, not above: `app.segmentation` is importable without it.

    Args:
        config: Settings that take precedence over the environment's, as tests inject them.

    Raises:
        CheckpointError: If the weights cannot be loaded.
        SettingError: If a setting has no usable value.
    """
    from flask import Flask

    from app.analysis.analysis import Analysis
    from app.config import ROOT, check_settings, read_settings
    from app.segmentation.reading.image_io import MAX_BYTES
    from app.web import api, downloads, explanations, feedback, health, pages, security, worklist

    app = Flask(__name__, template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    app.config.from_mapping(read_settings())
    app.config["MAX_CONTENT_LENGTH"] = 4 * MAX_BYTES + 2**20  # a form without a script may carry several films
    app.config.from_mapping(config or {})
    check_settings(app.config)
    csrf = security.init_app(app)
    app.extensions["predictor"] = _load_predictor(app)
    app.extensions["analysis"] = Analysis(app.extensions["predictor"])
    app.extensions["studies"] = _open_studies(app)
    app.extensions["training_set"] = _open_training_set(app)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(worklist.blueprint)
    app.register_blueprint(explanations.blueprint)
    app.register_blueprint(feedback.blueprint)
    app.register_blueprint(downloads.blueprint)
    app.register_blueprint(api.blueprint)
    app.register_blueprint(health.blueprint)
    csrf.exempt(api.blueprint)  # it takes no cookie, so there is nothing to forge
    return app


def _load_predictor(app: Flask) -> Predictor:
    from pathlib import Path

    import torch

    from app.segmentation.predictor import Predictor

    if app.config["THREADS"]:
        torch.set_num_threads(app.config["THREADS"])
    return Predictor.load(Path(app.config["WEIGHTS"]))


def _open_studies(app: Flask) -> StudyStore:
    from pathlib import Path

    from app.studies.database import default_url
    from app.studies.store import StudyStore

    url = app.config["DATABASE_URL"] or default_url(Path(app.instance_path))
    studies = StudyStore(url, 60 * app.config["RETENTION_MINUTES"])
    studies.purge()
    studies.start_purging()
    return studies


def _open_training_set(app: Flask) -> TrainingSet | None:
    from pathlib import Path

    from app.studies.training_set import TrainingSet

    return TrainingSet(Path(app.config["FEEDBACK_FOLDER"])) if app.config["FEEDBACK_FOLDER"] else None
