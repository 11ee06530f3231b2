"""Choices made on the validation split, on evidence whose best choice is known."""

import numpy as np
import pytest

from app.segmentation.checkpoint import load_checkpoint
from app.segmentation.decision.calibration import Finding, OperatingPoint
from app.segmentation.network.engine import Evidence
from training.releasing.calibrate import (
    choose_image_size,
    choose_operating_point,
    choose_postprocessing,
    fit_feature_distribution,
    fit_platt,
)


def evidence(image_logit=0.0, map_logit=0.0, probability_map=None, features=None) -> Evidence:
    return Evidence(probability_map, None, image_logit, map_logit, features)


def test_platt_scaling_recovers_the_true_odds():
    rng = np.random.default_rng(0)
    image_logits, map_logits = rng.normal(size=(2, 20000))
    odds = 1.5 * image_logits + 0.5 * map_logits - 1
    labels = rng.random(20000) < 1 / (1 + np.exp(-odds))
    fitted = fit_platt([evidence(*pair) for pair in zip(image_logits, map_logits, strict=True)], labels)
    assert (fitted.image_weight, fitted.map_weight, fitted.bias) == pytest.approx((1.5, 0.5, -1), abs=0.1)


def test_operating_point_keeps_specificity_and_abstains_where_it_errs():
    # 100 negatives, 20 positives; positives and negatives mix between 0.4 and 0.6 only
    negatives = np.concatenate([np.linspace(0.0, 0.35, 80), np.linspace(0.41, 0.59, 20)])
    positives = np.concatenate([np.linspace(0.42, 0.58, 8), np.linspace(0.7, 1.0, 12)])
    probabilities = np.concatenate([negatives, positives])
    labels = np.concatenate([np.zeros(100), np.ones(20)]).astype(int)

    point = choose_operating_point(labels, probabilities)

    assert (negatives < point.threshold).mean() >= point.specificity == 0.90
    assert (negatives < point.threshold - 0.02).mean() < 0.90, "no lower threshold is specific enough"
    abstained = np.array([point.finding(p) is Finding.INDETERMINATE for p in probabilities])
    wrong = (probabilities >= point.threshold) != labels
    assert abstained.mean() <= 0.15
    assert (wrong & abstained).sum() >= 0.4 * wrong.sum()
    assert abstained.sum() <= 2 * (wrong & abstained).sum(), "the band lies where decisions are mostly wrong"


def test_a_validation_split_that_allows_no_positive_says_so():
    with pytest.raises(ValueError, match="too small"):
        choose_operating_point(np.array([0, 0, 0, 0, 1]), np.array([0.1, 0.2, 0.3, 0.9, 0.5]))


def test_thresholds_find_the_disc_and_drop_the_speck():
    height, width = 96, 96
    y, x = np.ogrid[:height, :width]
    disc = (y - 40) ** 2 + (x - 40) ** 2 <= 15**2
    film = np.where(disc, 0.62, 0.31).astype(np.float32)
    film[90:92, 90:92] = 0.9  # 4 pixels, 0.04 % of the film
    empty = np.full((height, width), 0.1, dtype=np.float32)
    empty[90:92, 90:92] = 0.9
    seen = [evidence(probability_map=film), evidence(probability_map=empty)]
    anywhere = OperatingPoint("all", 0.5, 0.0, 0.5)

    chosen = choose_postprocessing(seen, np.array([0.9, 0.8]), [disc, np.zeros_like(disc)], anywhere)

    assert 0.31 < chosen.mask_threshold <= 0.6
    assert 4 / disc.size < chosen.min_area_fraction < disc.mean()


def test_nothing_is_marked_on_films_that_are_called_negative():
    film = np.ones((64, 64), dtype=np.float32)
    point = OperatingPoint("any", 0.5, 0.4, 0.6)
    chosen = choose_postprocessing([evidence(probability_map=film)] * 2, np.array([0.1, 0.9]), [film > 0] * 2, point)
    assert chosen.min_film_probability >= point.indeterminate_low


def test_unfamiliar_features_lie_far_out():
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((8, 8))
    draw = lambda count: rng.standard_normal((count, 8)) @ mixing + 3  # noqa: E731
    known = fit_feature_distribution(
        [evidence(features=f) for f in draw(500)], [evidence(features=f) for f in draw(400)]
    )
    distances = np.array([known.distance(f) for f in draw(1000)])
    assert (distances**2).mean() == pytest.approx(8, rel=0.2), "Mahalanobis: the mean square is the dimension"
    assert (distances > known.limit).mean() < 0.02
    assert known.distance(np.full(8, 30.0)) > 2 * known.limit


def test_the_input_size_is_the_one_that_does_best_on_val(monkeypatch, checkpoint_path):
    checkpoint = load_checkpoint(checkpoint_path)
    monkeypatch.setattr(
        "training.releasing.calibrate.validate",
        lambda model, films, preprocessing, *_, **__: {"selection": -abs(preprocessing.image_size - 96)},
    )

    assert choose_image_size(checkpoint, None, [64, 96, 128]).metadata.preprocessing.image_size == 96
    assert choose_image_size(checkpoint, None, []) is checkpoint
