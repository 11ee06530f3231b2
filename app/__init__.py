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
    from flask import Flask

    from app.analysis import wording
    from app.config import ROOT, check_settings, read_settings
    from app.segmentation.reading.radiograph import MAX_BYTES
    from app.version import VERSION
    from app.web import (
        about,
        api,
        audit,
        bodies,
        downloads,
        explanations,
        feedback,
        health,
        languages,
        limits,
        logs,
        monitoring,
        pages,
        security,
        worklist,
    )
    from app.web.services import open_services

    app = Flask(__name__, template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    app.config.from_mapping(read_settings())
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES + 29 * 2**20  # one of the largest films, or several in one form
    app.config.from_mapping(config or {})
    check_settings(app.config)
    app.jinja_env.globals["version"] = VERSION
    logs.init_app(app)
    app.before_request(limits.refuse_early)  # before the guard of forms takes a form apart, which is what costs time
    csrf = security.init_app(app)
    open_services(app)
    monitoring.init_app(app)
    app.jinja_env.globals["wording"] = wording
    for part in (about, pages, worklist, explanations, feedback, downloads, api, health, audit, monitoring, languages):
        app.register_blueprint(part.blueprint)
    csrf.exempt(api.blueprint)  # it takes no cookie, so there is nothing to forge
    bodies.init_app(app)
    limits.init_app(app)
    languages.init_app(app)
    return app
