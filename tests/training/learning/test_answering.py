"""What answers validation films says what the network says, whichever library computes it."""

import sys

import pytest
import torch

from app.segmentation.network.model import ModelConfig, build_model
from training.learning.answering import answering

SMALL = ModelConfig(decoder_channels=(16, 16, 8, 8, 8), pooling="catavgmax")


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return build_model(SMALL).to(memory_format=torch.channels_last).eval()


@torch.inference_mode()
def differences(network: torch.nn.Module, answer) -> list[float]:
    """Largest differences of mask and image logits, for several films and for the rest of them."""
    batches = torch.randn(3, 1, 96, 96), torch.randn(1, 1, 96, 96)
    pairs = [pair for batch in batches for pair in zip(answer(batch), network(batch), strict=True)]
    return [float((ours - theirs).abs().max() / theirs.abs().max()) for ours, theirs in pairs]


def test_openvino_answers_as_the_network_does(network, caplog):
    answer = answering(network)
    assert "filled" in answer.__qualname__
    assert max(differences(network, answer)) < 1e-3
    assert not caplog.text


def test_it_answers_by_the_weights_of_the_moment():
    """New networks have many weights that are equal, and are not later."""
    network = build_model(SMALL).eval()
    answering(network)
    with torch.no_grad():
        for weight in network.parameters():
            weight += 0.05 * torch.randn_like(weight)
    assert max(differences(network, answering(network))) < 1e-3


def test_pytorch_answers_where_openvino_does_not_load(network, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert max(differences(network, answering(network))) < 1e-6
    assert "PyTorch validates, OpenVINO cannot (ModuleNotFoundError" in caplog.text
