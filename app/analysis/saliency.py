"""Explanations of a score in plain JSON types, computed in turn with the analysis of films."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from app.analysis.analysis import Analysis
from app.segmentation.network.logits import sigmoid
from app.segmentation.network.preprocessing import preprocess
from app.studies.drawing import greys_of

if TYPE_CHECKING:
    from app.segmentation.network.attribution import Activations

UNTRIED = -128
"""Level of a place of which nothing is known yet."""

AT_ONCE = 2
"""Patches hidden in one turn, each two inferences where answers are averaged: that long a film may have to wait."""

PATIENCE_SECONDS = 5.0
"""How long a new occlusion waits for one before it: one that was cancelled ends at its next step."""


class Saliency:
    """Explains the answers of an `Analysis`. Shared between the threads that answer requests.

    The film is the displayed one, of 8 bits. Where the file had no more, nor sides above `DISPLAY_SIDE`, the network
    gets the very input of its answer; else one that strays from it by less than the noise of a film, and the score
    of `activations` tells by how much that moved it.
    """

    def __init__(self, analysis: Analysis) -> None:
        self.predictor = analysis.predictor
        self._turns = analysis.turns
        self._occlusions = threading.BoundedSemaphore(1)
        self._patience = threading.BoundedSemaphore(1)

    def activations(self, film_png: bytes, client: str = "somebody") -> dict:
        """Explain by Grad-CAM of every encoder stage, and the feature maps of the last.

        Args:
            film_png: A film as displayed.
            client: Who asks, as `Turns.turn` distinguishes them.

        Raises:
            BusyError: If as many wait as may.

        Returns:
            "score" in logits, "probability", "stages" fine to coarse and "feature_maps", as `packed` describes each.
        """
        batch = self._batch(film_png)
        with self._turns.turn(client):  # the first time, PyTorch is loaded in it: for seconds, and for every core
            from app.segmentation.network.attribution import trace_activations

            traced = trace_activations(self.predictor.reference, self.predictor.decision.calibration, batch)
        return _described(traced)

    def start_occlusion(self) -> bool:
        """Claim the right to compute an occlusion map, until `end_occlusion`; False if another has it and keeps it.

        Each occupies a thread that answers requests, for as long as it takes; so only one waits.
        """
        if not self._patience.acquire(blocking=False):
            return False
        try:
            return self._occlusions.acquire(timeout=PATIENCE_SECONDS)
        finally:
            self._patience.release()

    def end_occlusion(self) -> None:
        """Let another occlusion map be computed."""
        self._occlusions.release()

    def occlusion(self, film_png: bytes) -> Iterator[dict]:
        """Explain by hiding one patch after another, a few in each turn.

        Args:
            film_png: A film as displayed.

        Yields:
            Patches "done", their "total", and the map so far, as `packed` describes it, in logits.
        """
        with self._turns:
            from app.segmentation.network.attribution import occlude

            calibration = self.predictor.decision.calibration
            steps = occlude(self.predictor.reference, calibration, self._batch(film_png), at_once=AT_ONCE)
        while True:
            with self._turns:
                step = next(steps, None)
            if step is None:
                return
            yield {"done": step.done, "total": step.total, **packed(step.drops)}

    def _batch(self, film_png: bytes) -> np.ndarray:
        return preprocess(greys_of(film_png).astype(np.float32) / 255, self.predictor.metadata.preprocessing)


def packed(values: np.ndarray) -> dict:
    """Describe a map in few bytes.

    Args:
        values: float32 (G, G); NaN where nothing is known.

    Returns:
        Its "side" G, its "peak", the largest value either way, and "levels": base64 of G · G signed bytes, row by
        row, -127 to 127 for -peak to peak, and `UNTRIED` for NaN.
    """
    peak = float(np.nanmax(np.abs(values)))
    levels = np.nan_to_num(np.round(127 * values / (peak or 1)), nan=UNTRIED).astype(np.int8)
    return {"side": len(values), "peak": peak, "levels": base64.b64encode(levels.tobytes()).decode("ascii")}


def _described(traced: Activations) -> dict:
    return {
        "score": traced.score,
        "probability": float(sigmoid(traced.score)),
        "stages": [packed(stage) for stage in traced.stages],
        "feature_maps": [
            {"channel": one.channel, "contribution": one.contribution, **packed(one.weighted)}
            for one in traced.feature_maps
        ],
    }
