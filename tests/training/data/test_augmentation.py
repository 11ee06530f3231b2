"""Grey levels of another day: within the scale, as often as asked, and never the same."""

import numpy as np
import pytest

from training.data.augmentation import DEGRADATIONS, TONES, Step, by_chance, jpeg_round_trip, tone_curve
from training.releasing.phantom.drawing import draw_phantom

FILM = draw_phantom(0, 128).image


@pytest.mark.parametrize("step", [*TONES, *DEGRADATIONS], ids=lambda step: step.name)
def test_every_step_changes_grey_levels_and_keeps_shape(step):
    changed = by_chance(FILM, [Step(step.name, 1.0, step.change)], np.random.default_rng(0))
    assert changed.shape == FILM.shape and changed.dtype == np.float32
    assert 0 <= changed.min() and changed.max() <= 1
    assert not np.array_equal(changed, FILM)


def test_steps_are_made_as_often_as_they_ask():
    rng = np.random.default_rng(0)
    darker = Step("darker", 0.3, lambda levels, rng: levels - 0.5)
    made = [by_chance(np.ones(1, dtype=np.float32), [darker], rng)[0] < 1 for _ in range(1000)]
    assert np.mean(made) == pytest.approx(0.3, abs=0.05)


def test_a_tone_curve_rises():
    curves = [tone_curve(np.random.default_rng(seed)) for seed in range(50)]
    assert all((np.diff(curve) >= 0).all() and curve.dtype == np.float32 for curve in curves)
    assert np.std([curve[128] for curve in curves]) > 0.03


def test_jpeg_compression_costs_more_at_lower_quality():
    losses = [float(np.abs(jpeg_round_trip(FILM, quality) - FILM).mean()) for quality in (95, 30)]
    assert 0 < losses[0] < losses[1]
