"""Whether a process is fit to answer films: none is overdue, they can be kept, and the model answers as released."""

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from app.analysis.analysis import Analysis
from app.segmentation.predictor import Predictor

KEEP_SECONDS = 60
"""How long one canary inference speaks for the process: probes come every few seconds, from several places."""
CANARY_SECONDS = 20
"""How long it may take, beside the film in hand."""
OVERDUE_SECONDS = 60
"""How long one film may be answered for."""
SLACK_SECONDS = 5
"""How much longer than a film may be read for, its reading may be in hand: its process has to start."""

logger = logging.getLogger(__name__)


class Readiness:
    """What speaks against sending films to this process.

    Attributes:
        predictor: The model.
    """

    def __init__(
        self,
        analysis: Analysis,
        weights: Path,
        keeping: Callable[[], str] = lambda: "",
    ) -> None:
        """Take what is to be watched.

        Args:
            analysis: At work on films.
            weights: Where the model was loaded from.
            keeping: Says why films cannot be kept; "" if they can.
        """
        self.predictor = analysis.predictor
        self._analysis = analysis
        self._weights = _File(weights, analysis.predictor.sha256)
        self._keeping = keeping
        self._canary = _Canary(analysis.predictor)

    def objection(self) -> str:
        """Say why films must not be sent here; "" if nothing speaks against it."""
        return self._overdue() or self._keeping() or self._weights.objection() or self._canary.objection()

    def _overdue(self) -> str:
        reading, answering = self._analysis.reading_seconds(), self._analysis.turns.held_seconds()
        if reading > self._analysis.film_reader.order.clock_seconds + SLACK_SECONDS:
            return f"The film in hand has been read for {reading:.0f} s."
        if answering > OVERDUE_SECONDS:
            return f"The film in hand has been answered for {answering:.0f} s."
        return ""


class _File:
    """The weights' file, hashed again only where it looks changed."""

    def __init__(self, path: Path, sha256: str) -> None:
        self._path = path
        self._sha256 = sha256
        self._sound_stamp: tuple[int, ...] = ()

    def objection(self) -> str:
        try:
            status = self._path.stat()
            stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
            if stamp != self._sound_stamp:
                if hashlib.sha256(self._path.read_bytes()).hexdigest() != self._sha256:
                    return "The weights' file is no longer the one that was loaded; restart the server, or put it back."
                self._sound_stamp = stamp
        except OSError as error:
            return f"The weights' file cannot be read: {error.strerror}."
        return ""


class _Canary:
    """The latest canary inference. It runs in a thread of its own: one that hangs must not hang the probe."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._lock = threading.Lock()
        self._checked_at = float("-inf")
        self._reason = ""
        self._thread: threading.Thread | None = None

    def objection(self) -> str:
        with self._lock:  # one inference for all who ask at once
            if self._thread is None and time.monotonic() - self._checked_at >= KEEP_SECONDS:
                self._thread = threading.Thread(target=self._check, name="canary", daemon=True)
                self._thread.start()
            if self._thread is not None:
                self._thread.join(CANARY_SECONDS)
                if self._thread.is_alive():
                    return f"The canary inference has not come to an end within {CANARY_SECONDS} s."
                self._thread = None
            return self._reason

    def _check(self) -> None:
        self._reason = self._answer()
        self._checked_at = time.monotonic()

    def _answer(self) -> str:
        if not self._predictor.metadata.canary:
            return "The checkpoint carries no canary film, so its answers cannot be checked; release it again."
        try:
            as_released = self._predictor.check_canary()
        except Exception:  # whatever it is, the process is not ready, and a probe needs an answer
            logger.exception("The canary inference failed")
            return "The canary inference failed; the log says why."
        return "" if as_released else "The canary film did not get the answer it had when the model was released."
