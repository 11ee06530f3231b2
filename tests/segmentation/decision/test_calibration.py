"""Evidence to probability to finding."""

import math

import numpy as np
import pytest

from app.segmentation.decision.calibration import (
    TOP_FRACTION,
    Calibration,
    Finding,
    OperatingPoint,
    logit,
    map_logit,
    sigmoid,
)


def test_probability_is_platts():
    calibration = Calibration(image_weight=0.5, map_weight=2, bias=-1)
    assert calibration.probability(3, -0.25) == pytest.approx(1 / (1 + math.exp(0)))
    assert calibration.probability(1, 0.75) == pytest.approx(1 / (1 + math.exp(-1)))


def test_probability_never_overflows():
    calibration = Calibration(image_weight=1, map_weight=1, bias=0)
    assert calibration.probability(500, 200) == 1
    assert calibration.probability(-500, -200) == pytest.approx(0)


@pytest.mark.parametrize(
    ("probability", "finding"),
    [
        (0, Finding.NEGATIVE),
        (0.2999, Finding.NEGATIVE),
        (0.3, Finding.INDETERMINATE),
        (0.4, Finding.INDETERMINATE),
        (0.5999, Finding.INDETERMINATE),
        (0.6, Finding.POSITIVE),
        (1, Finding.POSITIVE),
    ],
)
def test_finding(probability, finding):
    point = OperatingPoint("test", threshold=0.4, indeterminate_low=0.3, indeterminate_high=0.6)
    assert point.finding(probability) is finding


def test_without_a_band_the_threshold_decides():
    point = OperatingPoint("test", threshold=0.4, indeterminate_low=0.4, indeterminate_high=0.4)
    assert [point.finding(p) for p in (0.3999, 0.4)] == [Finding.NEGATIVE, Finding.POSITIVE]


@pytest.mark.parametrize("band", [(0.5, 0.6), (0.3, 0.35), (-0.1, 0.6), (0.3, 1.1), (math.nan, 0.6)])
def test_band_must_hold_the_threshold(band):
    with pytest.raises(ValueError, match="band"):
        OperatingPoint("test", 0.4, *band)


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


@pytest.mark.parametrize(
    ("name", "told", "specificity"),
    [("specificity 0.90", None, 0.9), ("specificity 0.90", 0.95, 0.95), ("Youden", None, None)],
)
def test_specificity_is_a_number_also_of_points_that_only_name_it(name, told, specificity):
    assert OperatingPoint(name, 0.5, 0.3, 0.6, told).specificity == specificity
