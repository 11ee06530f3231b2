"""Evidence to probability to finding."""

import math

import pytest

from app.segmentation.decision.calibration import (
    Calibration,
    Finding,
    OperatingPoint,
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


@pytest.mark.parametrize(
    ("name", "told", "specificity"),
    [("specificity 0.90", None, 0.9), ("specificity 0.90", 0.95, 0.95), ("Youden", None, None)],
)
def test_specificity_is_a_number_also_of_points_that_only_name_it(name, told, specificity):
    assert OperatingPoint(name, 0.5, 0.3, 0.6, told).specificity == specificity
