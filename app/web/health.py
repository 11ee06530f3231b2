"""Is the process alive; is it fit to answer films."""

import logging
import threading
import time

from flask import Blueprint, current_app
from flask.blueprints import BlueprintSetupState

from app.segmentation.predictor import Predictor

KEEP_SECONDS = 60
"""How long one canary inference speaks for the process: probes come every few seconds, from several places."""

logger = logging.getLogger(__name__)
blueprint = Blueprint("health", __name__)


class Readiness:
    """What the latest canary inference says of this process."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self._lock = threading.Lock()
        self._checked_at = float("-inf")
        self._reason = ""

    def objection(self) -> str:
        """Say why films must not be sent here; "" if nothing speaks against it."""
        with self._lock:  # one inference for all who ask at once
            if time.monotonic() - self._checked_at >= KEEP_SECONDS:
                self._reason = self._check()
                self._checked_at = time.monotonic()
            return self._reason

    def _check(self) -> str:
        if not self.predictor.metadata.canary:
            return "The checkpoint carries no canary film, so its answers cannot be checked; release it again."
        try:
            as_released = self.predictor.check_canary()
        except Exception:  # whatever it is, the process is not ready, and a probe needs an answer
            logger.exception("The canary inference failed")
            return "The canary inference failed; the log says why."
        return "" if as_released else "The canary film did not get the answer it had when the model was released."


@blueprint.record_once
def _set_up(state: BlueprintSetupState) -> None:
    state.app.extensions["readiness"] = Readiness(state.app.extensions["predictor"])


@blueprint.get("/healthz")
def alive() -> dict:
    """Answer while the process can answer at all."""
    return {"status": "alive"}


@blueprint.get("/readyz")
def ready() -> tuple[dict, int]:
    """Answer 200 only if the model answers its canary film as it did at release."""
    objection = current_app.extensions["readiness"].objection()
    predictor = current_app.extensions["predictor"]
    model = {"name": predictor.metadata.name, "sha256": predictor.sha256}
    if objection:
        return {"status": "not ready", "reason": objection, "model": model}, 503
    return {"status": "ready", "model": model}, 200
