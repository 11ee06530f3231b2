"""The mean of the weights of several trainings or epochs: one network that often does better than each."""

from dataclasses import replace
from pathlib import Path

from torch.optim.swa_utils import AveragedModel

from app.segmentation.checkpoint import load_checkpoint, save_checkpoint
from training.errors import UserError


def average(trained: tuple[Path, ...], out: Path) -> None:
    """Average the weights of checkpoints of one architecture that descend from a common start.

    Weights that were trained apart from different starts lie in different valleys, and their mean in none. Wortsman
    et al., "Model soups", ICML 2022.

    Args:
        trained: Checkpoints that training left behind; the last one's input size and history are the mean's, which
            names the others.
        out: Checkpoint to write, to be released like any other.

    Raises:
        UserError: If there are fewer than two, or their architectures differ.
    """
    if len(trained) < 2:
        raise UserError("A mean takes two checkpoints at least.")
    checkpoints = [load_checkpoint(path) for path in trained]
    kinds = {checkpoint.metadata.model for checkpoint in checkpoints}
    if len(kinds) != 1:
        raise UserError(f"Only networks of one architecture have a mean; these are {kinds}.")
    mean = AveragedModel(checkpoints[0].model, use_buffers=True)
    for checkpoint in checkpoints:
        mean.update_parameters(checkpoint.model)
    metadata = checkpoints[-1].metadata
    origins = [
        {"sha256": origin.sha256, **{key: origin.metadata.provenance.get(key) for key in ("epoch", "films_seen")}}
        for origin in checkpoints
    ]
    save_checkpoint(out, mean.module, replace(metadata, provenance={**metadata.provenance, "mean_of": origins}))
