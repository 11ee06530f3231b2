"""Heads that say the same of a window and of a film, and maps drawn at half the side."""

import pytest
import torch
from torch.nn import Conv2d

from app.segmentation.network import model
from app.segmentation.network.model import LocalScores, ModelConfig, build_model


@pytest.mark.parametrize("sharpness", [None, 4.0])
def test_local_scores_do_not_shrink_a_finding_with_the_films_size(sharpness):
    head = LocalScores(3, sharpness).eval().requires_grad_(False)
    torch.nn.init.ones_(head.score.weight)
    torch.nn.init.zeros_(head.score.bias)
    window = torch.full((1, 3, 4, 4), -5.0)
    window[..., 1, 2] = 2.0
    film = torch.full((1, 3, 16, 16), -5.0)
    film[..., 3, 9] = 2.0
    assert head(window).shape == (1, 1)
    torch.testing.assert_close(head(window), head(film), atol=1e-3, rtol=0)
    assert float(head(film)) == pytest.approx(6.0, abs=1e-3)


@pytest.mark.parametrize("changes", [{"pooling": "score_max"}, {"pooling": "score_lse"}, {"map_stride": 2}])
def test_every_option_answers_at_the_inputs_side_and_learns(changes):
    network = build_model(ModelConfig(decoder_channels=(16, 16, 8, 8, 8), **changes))
    mask, image = network(torch.randn(2, 1, 64, 64))
    assert mask.shape == (2, 1, 64, 64) and image.shape == (2, 1)
    (mask.mean() + image.mean()).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_a_map_at_half_the_side_is_enlarged():
    network = build_model(ModelConfig(decoder_channels=(16, 16, 8, 8, 8), map_stride=2)).eval()
    seen = []
    network.decoder.register_forward_hook(lambda _, __, out: seen.append(out.shape))
    network(torch.randn(1, 1, 64, 64))
    assert seen == [(1, 8, 32, 32)]


@pytest.mark.parametrize("changes", [{"pooling": "median"}, {"map_stride": 4}])
def test_unknown_options_are_refused(changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        ModelConfig(**changes)
    with pytest.raises(ValueError, match="map_stride"):
        ModelConfig(architecture="unetplusplus", map_stride=2)


def test_padding_within_convolutions_changes_no_answer(monkeypatch):
    """smp's EfficientNet pads copies instead; sides that the network halves to odd ones are the hard case."""
    torch.manual_seed(0)
    network = build_model(ModelConfig(decoder_channels=(16, 16, 8, 8, 8))).eval()
    assert sum(module.padding != (0, 0) for module in network.encoder.modules() if isinstance(module, Conv2d)) == 12
    monkeypatch.setattr(model, "_pad_within", lambda convolution: None)
    as_smp_has_it = build_model(ModelConfig(decoder_channels=(16, 16, 8, 8, 8))).eval()
    as_smp_has_it.load_state_dict(network.state_dict())
    batch = torch.randn(2, 1, 160, 224)
    for ours, theirs in zip(network(batch), as_smp_has_it(batch), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
