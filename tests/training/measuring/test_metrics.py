"""Figures against values computed by hand."""

import numpy as np
import pandas as pd
import pytest

from training.measuring.figures import figures_of, summarise
from training.measuring.metrics import (
    bootstrap_intervals,
    dice_scores,
    expected_calibration_error,
    overlap,
    sensitivity_at_specificity,
)

TABLE = pd.DataFrame(
    {
        "patient_id": ["a", "a", "b", "c"],
        "label": [1, 0, 1, 0],
        "probability": [0.9, 0.6, 0.4, 0.1],
        "called": [1, 1, 0, 0],
        "finding": ["positive", "indeterminate", "negative", "negative"],
        "intersection": [30, 0, 0, 0],
        "predicted": [40, 10, 0, 0],
        "true": [60, 0, 20, 0],
    }
)


def test_dice_of_two_empty_masks_is_one():
    empty, full = np.zeros((1, 2, 2), dtype=bool), np.ones((1, 2, 2), dtype=bool)
    assert dice_scores(**overlap(empty, empty)) == 1
    assert dice_scores(**overlap(full, empty)) == 0
    assert dice_scores(**overlap(full, full)) == 1


def test_summary_by_hand():
    figures = summarise(TABLE)
    assert figures["auroc"] == pytest.approx(3 / 4)
    assert figures["dice_pos"] == pytest.approx((0.6 + 0) / 2)
    assert figures["iou_pos"] == pytest.approx((30 / 70 + 0) / 2)
    assert figures["dice_all"] == pytest.approx((0.6 + 0 + 0 + 1) / 4)
    assert figures["dice_all_if_empty"] == 0.5
    assert figures["dice_pooled"] == pytest.approx(60 / 130)
    assert (figures["sensitivity"], figures["specificity"], figures["false_masks"]) == (0.5, 0.5, 0.5)
    assert (figures["abstained"], figures["errors_removed_by_abstaining"]) == (0.25, 0.5)
    found = [
        figures[name] for name in ("positives_found_positive", "positives_found_negative", "negatives_found_positive")
    ]
    assert found == [0.5, 0.5, 0.0]
    assert figures["brier"] == pytest.approx((0.01 + 0.36 + 0.36 + 0.01) / 4)


def test_figures_of_films_without_a_class_or_a_mask():
    one = TABLE[TABLE["label"] == 0].assign(called=0)
    names = ("auroc", "sensitivity", "specificity", "ppv", "npv", "dice_pos", "brier")
    expected = [np.nan, np.nan, 1, np.nan, 1, np.nan, np.nan]
    assert list(figures_of(one, names).values()) == pytest.approx(expected, nan_ok=True)
    unknown = TABLE.astype({"intersection": float, "predicted": float, "true": float})
    unknown.loc[0, ["intersection", "predicted", "true"]] = np.nan
    assert figures_of(unknown, ["dice_pos"]) == {"dice_pos": 0.0}, "it is of the positive films whose mask is known"


def test_sensitivity_at_a_specificity():
    labels = np.array([0] * 10 + [1] * 4)
    scores = np.array([0.1] * 9 + [0.8] + [0.05, 0.5, 0.7, 0.9])
    assert sensitivity_at_specificity(labels, scores, 0.9) == 0.75
    assert sensitivity_at_specificity(labels, scores, 1.0) == 0.25


def test_calibration_error():
    labels = np.array([0, 1] * 50)
    assert expected_calibration_error(labels, np.full(100, 0.5), bins=5) == pytest.approx(0)
    assert expected_calibration_error(labels, np.full(100, 0.9), bins=5) == pytest.approx(0.4)


def test_intervals_hold_the_value_and_repeat():
    table = pd.concat([TABLE.assign(patient_id=f"p{copy}") for copy in range(10)])
    intervals = bootstrap_intervals(table, summarise, resamples=50)
    assert intervals == bootstrap_intervals(table, summarise, resamples=50)
    wide = pd.concat([TABLE.assign(patient_id=TABLE["patient_id"] + str(copy)) for copy in range(10)])
    low, high = bootstrap_intervals(wide, summarise, resamples=200)["sensitivity"]
    assert low < 0.5 < high
    same_patients = intervals["sensitivity"]
    assert same_patients == (0.5, 0.5), "films of one patient are drawn together"


def test_intervals_of_a_single_class():
    negatives = TABLE[TABLE["label"] == 0]
    intervals = bootstrap_intervals(negatives, lambda table: {"called": table["called"].mean()}, resamples=50)
    assert intervals["called"] == (0, 1)
