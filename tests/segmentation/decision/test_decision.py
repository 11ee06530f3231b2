"""Evidence, geometry and doubts to one answer."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from app.segmentation.decision.calibration import Finding, OperatingPoint
from app.segmentation.decision.doubts import NO_REASSURANCE, UNFAMILIAR, doubt
from app.segmentation.network.engine import Evidence
from app.segmentation.reading.geometry import FilmGeometry, Laterality
from tests.support.answers import DECISION

GEOMETRY = FilmGeometry((300, 400), pixel_spacing_mm=(1, 0.8), image_left=Laterality.LEFT)


def evidence(image_logit: float) -> Evidence:
    """A mark in the upper left quarter of the network's square."""
    probability_map = np.zeros((64, 64), np.float32)
    probability_map[8:16, 8:16] = 0.9
    return Evidence(probability_map, np.zeros_like(probability_map), image_logit, 0.0, torch.zeros(4))


def test_answer_is_calibration_operating_point_and_marks_in_the_films_own_pixels():
    prediction = DECISION.decide(evidence(3.0), GEOMETRY)
    assert prediction.probability == DECISION.calibration.probability(3.0, 0.0)
    assert prediction.finding is DECISION.operating_point.finding(prediction.probability) is Finding.POSITIVE
    assert prediction.probability_map.shape == prediction.mask.shape == GEOMETRY.shape
    (region,) = prediction.regions
    assert region.laterality is Laterality.LEFT
    assert region.area_mm2 == pytest.approx(0.8 * prediction.mask.sum())
    assert (prediction.doubts, prediction.withheld_for) == ((), None)


def test_nothing_is_marked_below_the_films_gate():
    prediction = DECISION.decide(evidence(-6.0), GEOMETRY)
    assert prediction.finding is Finding.NEGATIVE
    assert not prediction.mask.any() and prediction.regions == ()


@pytest.mark.parametrize("code", NO_REASSURANCE)
def test_a_doubt_withholds_a_negative_answer_and_keeps_an_alarm(code):
    doubts = [doubt("clipped", "White."), doubt(code, "Odd.")]
    alarm, calm = (DECISION.decide(evidence(logit), GEOMETRY, doubts) for logit in (3.0, -6.0))
    assert (alarm.finding, alarm.withheld_for, len(alarm.regions)) == (Finding.POSITIVE, None, 1)
    assert (calm.finding, calm.withheld_for) == (Finding.INDETERMINATE, code)
    assert alarm.doubts == calm.doubts == tuple(doubts)


def test_what_is_no_film_gets_no_answer_at_all():
    prediction = DECISION.decide(evidence(3.0), GEOMETRY, [UNFAMILIAR], may_be_a_film=False)
    assert (prediction.finding, prediction.withheld_for) == (Finding.INDETERMINATE, "unlike_training_films")
    assert not prediction.mask.any() and prediction.regions == ()


def test_an_uncertain_answer_is_withheld_for_no_doubt():
    unsure = replace(DECISION, operating_point=OperatingPoint("never sure", 0.5, 0.0, 1.0))
    prediction = unsure.decide(evidence(3.0), GEOMETRY)
    assert (prediction.finding, prediction.withheld_for) == (Finding.INDETERMINATE, None)
    assert prediction.mask.any()
