"""Whether a process is fit to answer films: it must answer a synthetic one as it did when the model was released."""

import logging
import threading
import time

from app.segmentation.predictor import Predictor

KEEP_SECONDS = 60
"""How long one canary inference speaks for the process: probes come every few seconds, from several places."""

logger = logging.getLogger(__name__)


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
