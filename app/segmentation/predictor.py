"""A loaded checkpoint that answers films: the core's front door."""

from __future__ import annotations

import base64
import time
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from app.segmentation.checkpoint import Checkpoint, load_checkpoint
from app.segmentation.decision.checks import doubts_about
from app.segmentation.decision.decision import Prediction
from app.segmentation.decision.doubts import UNFAMILIAR, Doubt
from app.segmentation.decision.population import FIRST_RELEASES
from app.segmentation.engines import open_engine, torch_engine
from app.segmentation.errors import CheckpointError
from app.segmentation.network.engine import Engine, Evidence
from app.segmentation.network.preprocessing import preprocess
from app.segmentation.reading.image_io import read_radiograph
from app.segmentation.reading.radiograph import Radiograph

if TYPE_CHECKING:
    from app.segmentation.network.torch_engine import TorchEngine

CANARY_TOLERANCE = 0.02
"""Probability by which another processor's arithmetic may differ."""


class Predictor:
    """A model with everything that turns its evidence into an answer. Safe to share between threads.

    Attributes:
        metadata: The checkpoint's.
        decision: The checkpoint's thresholds and calibration.
        population: The films that it learnt from.
        feature_distribution: What the checkpoint's films look like to the network, if it says so.
        sha256: Hash of the checkpoint's file, hexadecimal.
        checkpoint: What was loaded, the weights in it.
        engine: What answers films.
    """

    def __init__(self, checkpoint: Checkpoint, engine: Engine | None = None, threads: int = 0) -> None:
        """Take a released checkpoint.

        Args:
            checkpoint: From `load_checkpoint`.
            engine: What answers films; without one, the reference does.
            threads: Of the reference; 0: all cores.

        Raises:
            CheckpointError: If it has no thresholds.
        """
        if checkpoint.metadata.decision is None:
            raise CheckpointError(
                f"{checkpoint.metadata.name} has no thresholds yet; run `python -m training release` on it first."
            )
        self.metadata = checkpoint.metadata
        self.decision = checkpoint.metadata.decision
        self.population = checkpoint.metadata.population or FIRST_RELEASES
        self.feature_distribution = checkpoint.feature_distribution
        self.sha256 = checkpoint.sha256
        self.checkpoint = checkpoint
        self._threads = threads
        self.engine = engine or torch_engine(checkpoint, threads)

    @classmethod
    def load(cls, path: Path, engine: str = "auto", threads: int = 0) -> Predictor:
        """Load a released checkpoint.

        Args:
            path: The checkpoint; the graph for OpenVINO lies beside it.
            engine: What is to answer films, one of `engines.ENGINES`.
            threads: Threads of one inference; 0: all cores.

        Raises:
            CheckpointError: If it cannot be loaded, or was never released.
        """
        checkpoint = load_checkpoint(path)
        return cls(checkpoint, open_engine(checkpoint, path, engine, threads), threads)

    @cached_property
    def reference(self) -> TorchEngine:
        """The network on PyTorch, which can be differentiated; loading that takes seconds where nothing has."""
        from app.segmentation.network.torch_engine import TorchEngine

        return self.engine if isinstance(self.engine, TorchEngine) else torch_engine(self.checkpoint, self._threads)

    def predict(self, radiograph: Radiograph) -> Prediction:
        """Answer one film.

        Raises:
            InvalidImageError: If the film is not two-dimensional or leaves [0, 1].
        """
        started = time.perf_counter()
        batch = preprocess(radiograph.image, self.metadata.preprocessing)
        doubts = doubts_about(radiograph, self.population)
        prepared = time.perf_counter()
        evidence = self.engine.run(batch)
        inferred = time.perf_counter()
        distance, unfamiliarity = self._unfamiliarity(evidence)
        prediction = self.decision.of_view(radiograph.view_position).decide(
            evidence,
            radiograph.geometry,
            (*doubts, *unfamiliarity),
            may_be_a_film=distance is None or distance <= self.population.no_film_distance,
        )
        finished = time.perf_counter()
        timing_ms = {
            "preprocessing": 1e3 * (prepared - started),
            "inference": 1e3 * (inferred - prepared),
            "postprocessing": 1e3 * (finished - inferred),
            "total": 1e3 * (finished - started),
        }
        return replace(prediction, distance=distance, timing_ms=timing_ms)

    def _unfamiliarity(self, evidence: Evidence) -> tuple[float | None, tuple[Doubt, ...]]:
        """Say how far a film lies from those that the model learnt from, in limits, and whether that is a doubt."""
        known = self.feature_distribution
        if known is None:
            return None, ()
        distance = known.in_limits(evidence.features)
        if distance <= 1:
            return distance, ()
        measured = f"It differs too much from them ({distance * known.limit:.0f}; limit {known.limit:.0f})."
        return distance, (replace(UNFAMILIAR, message=f"{UNFAMILIAR.message} {measured}"),)

    def check_canary(self) -> bool:
        """Answer the synthetic film in the checkpoint, and compare with the answer it had at release."""
        canary = self.metadata.canary
        prediction = self.predict(read_radiograph(base64.b64decode(canary["film"])))
        return abs(prediction.probability - canary["probability"]) <= CANARY_TOLERANCE
