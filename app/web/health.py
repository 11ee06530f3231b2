"""Is the process alive; is it fit to answer films."""

from flask import Blueprint

from app.version import VERSION
from app.web.services import services

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> dict:
    """Answer while the process can answer at all."""
    return {"status": "alive"}


@blueprint.get("/readyz")
def ready() -> tuple[dict, int]:
    """Answer 200 only if the model answers its canary film as it did at release."""
    objection = services().readiness.objection()
    predictor = services().predictor
    model = {"name": predictor.metadata.name, "sha256": predictor.sha256, "engine": predictor.engine.description}
    if objection:
        return {"status": "not ready", "reason": objection, "version": VERSION, "model": model}, 503
    return {"status": "ready", "version": VERSION, "model": model}, 200
