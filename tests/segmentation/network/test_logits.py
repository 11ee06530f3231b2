"""Maps and probabilities as logits."""

import math

import numpy as np
import pytest

from app.segmentation.network.logits import TOP_FRACTION, logit, map_logit, sigmoid


class TestMapLogit:
    def test_mean_of_the_brightest(self):
        probability_map = np.full((200, 200), 0.01, np.float32)
        count = round(TOP_FRACTION * probability_map.size)
        assert count == 100
        probability_map.flat[7 : 7 + count // 2] = 0.9
        probability_map.flat[30_000 : 30_000 + count // 2] = 0.5
        assert map_logit(probability_map) == pytest.approx(math.log(0.7 / 0.3), rel=1e-5)

    def test_place_does_not_matter(self):
        probability_map = np.random.default_rng(0).random((64, 64), dtype=np.float32)
        assert map_logit(probability_map) == pytest.approx(map_logit(probability_map[::-1, ::-1]), rel=1e-6)

    @pytest.mark.parametrize("grey", [0, 1])
    def test_certainty_is_finite(self, grey):
        assert abs(map_logit(np.full((64, 64), grey, np.float32))) == pytest.approx(math.log(1e6), rel=1e-2)


def test_sigmoid_undoes_logit():
    probabilities = np.linspace(1e-5, 1 - 1e-5, 1001)
    assert np.abs(sigmoid(logit(probabilities)) - probabilities).max() < 1e-12
