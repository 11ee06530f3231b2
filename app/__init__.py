"""The web application: upload a film, see the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask


def create_app(config: Mapping[str, object] | None = None) -> Flask:
    """Build the application and load its model.

    Flask is imported here, not above: `app.segmentation` is importable without it.

    Args:
        config: Settings that take precedence over the environment's, as tests inject them.

    Raises:
        CheckpointError: If the weights cannot be loaded.
        SettingError: If a setting has no usable value.
    """
    from pathlib import Path

    import torch
    from flask import Flask

    from app import api, health, pages
    from app.config import ROOT, check_settings, read_settings
    from app.segmentation.predictor import Predictor

    app = Flask(__name__, template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    app.config.from_mapping(read_settings())
    app.config.from_mapping(config or {})
    check_settings(app.config)
    if app.config["THREADS"]:
        torch.set_num_threads(app.config["THREADS"])
    app.extensions["predictor"] = Predictor.load(Path(app.config["WEIGHTS"]))
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(api.blueprint)
    app.register_blueprint(health.blueprint)
    return app
