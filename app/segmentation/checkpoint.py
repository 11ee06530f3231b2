"""One self-describing file per model: safetensors, everything else in its header. No pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save_file

from app.segmentation.decision.calibration import Calibration, OperatingPoint
from app.segmentation.decision.decision import Decision
from app.segmentation.decision.population import Population
from app.segmentation.decision.postprocessing import PostprocessingConfig
from app.segmentation.errors import CheckpointError
from app.segmentation.network.model_config import ModelConfig
from app.segmentation.network.out_of_distribution import FeatureDistribution
from app.segmentation.network.preprocessing import PreprocessingConfig

if TYPE_CHECKING:
    import torch

FORMAT_VERSION = 1
HEADER_KEY = "pleura"
FEATURES_PREFIX = "out_of_distribution."


@dataclass(frozen=True)
class CheckpointMetadata:
    """Everything about a model that is not a weight.

    Attributes:
        name: Name of the model, shown with its hash.
        model: Architecture.
        preprocessing: Input of the network.
        decision: None in a checkpoint that training left behind: it cannot be served.
        population: The films that it learnt from; None in a checkpoint that training left behind, and in one that was
            released before checkpoints said so: `FIRST_RELEASES` holds of that.
        metrics: Figures by data split, as `training.releasing.evaluate` wrote them.
        provenance: Data, commit, date, seed and settings of the training.
        canary: "film", a synthetic film as base64 of a PNG, and the "probability" it had at release.
    """

    name: str
    model: ModelConfig
    preprocessing: PreprocessingConfig
    decision: Decision | None = None
    population: Population | None = None
    metrics: dict = field(default_factory=dict)
    provenance: dict = field(default_factory=dict)
    canary: dict = field(default_factory=dict)

    @property
    def mirror_size(self) -> int | None:
        """Side at which a film's mirror image is answered: as decided or, before that, the film's own."""
        return self.preprocessing.image_size if self.decision is None else self.decision.mirror_size


@dataclass(frozen=True)
class Checkpoint:
    """A loaded file: weights, and what is known of them.

    Attributes:
        weights: As stored, half precision and running statistics in float32, by the network's names.
        feature_distribution: Where the network puts films like those it learned from; None in a
            checkpoint that training left behind.
        sha256: Hash of the whole file, hexadecimal.
    """

    weights: Mapping[str, np.ndarray]
    metadata: CheckpointMetadata
    feature_distribution: FeatureDistribution | None
    sha256: str

    @cached_property
    def model(self) -> torch.nn.Module:
        """The network on PyTorch, in evaluation mode, float32; built when it is first asked for, as that takes seconds.

        Raises:
            CheckpointError: If the weights do not fit the architecture that the file names.
        """
        from app.segmentation.network.model import load_model

        return load_model(self.metadata.model, self.weights)

    @cached_property
    def weights_sha256(self) -> str:
        """Hash of names, shapes and values of the weights alone: what a new calibration does not change."""
        digest = hashlib.sha256()
        for name in sorted(self.weights):
            values = self.weights[name]
            digest.update(f"{name} {values.dtype} {values.shape}\n".encode())
            digest.update(np.ascontiguousarray(values).data)
        return digest.hexdigest()


def save_checkpoint(
    path: Path,
    model: torch.nn.Module,
    metadata: CheckpointMetadata,
    feature_distribution: FeatureDistribution | None = None,
) -> None:
    """Write weights in half precision, and what is known of them, into one safetensors file.

    Raises:
        CheckpointError: If a weight is not finite, or too large for half precision; or the file cannot be written.
    """
    tensors = {}
    for name, tensor in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        stored = tensor if "running_" in name else tensor.half()  # variances span decades
        tensors[name] = np.ascontiguousarray(stored.cpu().numpy())
        if not np.isfinite(tensors[name]).all():
            raise CheckpointError(f"{name} is not finite in half precision; the training has diverged.")
    header = {"format_version": FORMAT_VERSION, **asdict(metadata)}
    if feature_distribution is not None:
        header["out_of_distribution"] = {"limit": feature_distribution.limit}
        for name in ("mean", "whitening"):
            tensors[FEATURES_PREFIX + name] = np.ascontiguousarray(getattr(feature_distribution, name))
    write_tensors(path, tensors, {HEADER_KEY: json.dumps(header)})


def write_tensors(path: Path, tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """Write a safetensors file, whole or not at all.

    Raises:
        CheckpointError: If it cannot be written.
    """
    try:
        save_file(tensors, path, metadata=metadata)
    except SafetensorError as error:
        raise CheckpointError(f"{path} cannot be written: {error}.") from error
    path.chmod(0o644)  # safetensors lets only the owner read, but the service runs as somebody else


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        CheckpointError: If the file is missing, damaged or of another version.
    """
    if not path.is_file():
        raise CheckpointError(f"No weights at {path}; train and release a model, or set another path.")
    data = path.read_bytes()
    try:
        tensors = load(data)
        with safe_open(path, "np") as file:
            header = json.loads((file.metadata() or {}).get(HEADER_KEY, "null"))
    except (SafetensorError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path} is not a complete safetensors file: {error}.") from error
    statistics: dict[str, Any] = {
        name.removeprefix(FEATURES_PREFIX): tensors.pop(name)
        for name in list(tensors)
        if name.startswith(FEATURES_PREFIX)
    }
    limits: dict[str, Any] = header.pop("out_of_distribution", {}) if isinstance(header, dict) else {}
    metadata = _metadata(header, path)
    return Checkpoint(
        weights=tensors,
        metadata=metadata,
        feature_distribution=FeatureDistribution(**statistics, **limits) if statistics else None,
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _metadata(header: dict | None, path: Path) -> CheckpointMetadata:
    if not isinstance(header, dict):
        raise CheckpointError(f"{path} carries no {HEADER_KEY!r} header; it is not a Pleura checkpoint.")
    if header.pop("format_version", None) != FORMAT_VERSION:
        raise CheckpointError(f"{path} is not of format version {FORMAT_VERSION}; release it again.")
    try:
        decision, population = header.pop("decision"), header.pop("population", None)
        return CheckpointMetadata(
            model=ModelConfig(**_with_tuples(header.pop("model"))),
            preprocessing=PreprocessingConfig(**header.pop("preprocessing")),
            decision=decision
            and Decision(
                decision["mirror_size"],
                PostprocessingConfig(**decision["postprocessing"]),
                Calibration(**decision["calibration"]),
                OperatingPoint(**decision["operating_point"]),
                {view: OperatingPoint(**point) for view, point in decision.get("of_views", {}).items()},
            ),
            population=population and Population(**_with_tuples(population)),
            **header,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"The header of {path} is incomplete: {error}. Release it again.") from error


def _with_tuples(values: dict) -> dict:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
