"""The mean of several networks' weights."""

import dataclasses

import pytest
import torch

from app.segmentation.checkpoint import load_checkpoint, save_checkpoint
from app.segmentation.network.model import ModelConfig, build_model
from app.segmentation.network.preprocessing import PreprocessingConfig
from training.learning.average import average


@pytest.fixture
def three(checkpoint_path, tmp_path):
    """Checkpoints whose weights are w, w + 1 and w + 2, and how many films each saw."""
    paths = []
    for step in range(3):
        checkpoint = load_checkpoint(checkpoint_path)
        for parameter in checkpoint.model.parameters():
            parameter.data += step
        for name, buffer in checkpoint.model.named_buffers():
            if "running_" in name:
                buffer += step
        provenance = {"epoch": step, "films_seen": 16 * step}
        paths.append(tmp_path / f"{step}.safetensors")
        save_checkpoint(paths[-1], checkpoint.model, dataclasses.replace(checkpoint.metadata, provenance=provenance))
    return tuple(paths)


def test_every_weight_and_statistic_is_the_mean(three, checkpoint_path, tmp_path):
    average(three, tmp_path / "mean.safetensors")
    mean, first = load_checkpoint(tmp_path / "mean.safetensors"), load_checkpoint(checkpoint_path)
    for name, value in first.model.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            torch.testing.assert_close(mean.model.state_dict()[name], value + 1, atol=0.01, rtol=0, msg=name)
    provenance = mean.metadata.provenance
    assert provenance["epoch"] == 2
    assert [origin["films_seen"] for origin in provenance["mean_of"]] == [0, 16, 32]
    assert len({origin["sha256"] for origin in provenance["mean_of"]}) == 3


def test_the_input_size_is_the_last_ones(three, tmp_path):
    checkpoint = load_checkpoint(three[0])
    larger = dataclasses.replace(checkpoint.metadata, preprocessing=PreprocessingConfig(96))
    save_checkpoint(tmp_path / "larger.safetensors", checkpoint.model, larger)
    average((three[1], tmp_path / "larger.safetensors"), tmp_path / "mean.safetensors")
    assert load_checkpoint(tmp_path / "mean.safetensors").metadata.preprocessing.image_size == 96


def test_networks_of_different_kinds_have_no_mean(three, tmp_path):
    metadata = load_checkpoint(three[0]).metadata
    narrower = ModelConfig(decoder_channels=(16, 8, 8, 8, 8))
    save_checkpoint(
        tmp_path / "other.safetensors", build_model(narrower), dataclasses.replace(metadata, model=narrower)
    )
    with pytest.raises(ValueError, match="one architecture"):
        average((three[0], tmp_path / "other.safetensors"), tmp_path / "mean.safetensors")
    with pytest.raises(ValueError, match="two checkpoints"):
        average(three[:1], tmp_path / "mean.safetensors")
    assert not (tmp_path / "mean.safetensors").exists()
