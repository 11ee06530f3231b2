"""The first weights of a training as a file, for a machine that has no package with ImageNet's."""

from datetime import date
from pathlib import Path

import torch

from app.segmentation.checkpoint import CheckpointMetadata, save_checkpoint
from app.segmentation.network.model import ModelConfig
from app.segmentation.network.preprocessing import PreprocessingConfig
from training.learning.initialisation import initial_model

DEFAULT = ModelConfig()


def begin(out: Path, start: str = "lite0", image_size: int = 512, model: ModelConfig = DEFAULT, seed: int = 0) -> None:
    """Write the weights that a training starts from, in half precision, to be given as `train --start`.

    Args:
        out: Checkpoint to write.
        start: Where they come from, as in `train`.
        image_size: Side of the network input, in pixels.
        model: Architecture; ignored where `start` is a checkpoint.
        seed: Of what is drawn at random.
    """
    torch.manual_seed(seed)
    network, config, origin = initial_model(start, model)
    made = {"date": date.today().isoformat(), "started_from": origin, "films_seen": 0, "settings": {"seed": seed}}
    metadata = CheckpointMetadata(out.stem, config, PreprocessingConfig(image_size), provenance=made)
    out.parent.mkdir(parents=True, exist_ok=True)
    save_checkpoint(out, network, metadata)
