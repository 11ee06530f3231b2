"""Heads that say the same of a window and of a film, and maps drawn at half the side."""

import pytest
import torch

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
