"""What is measured, film by film, and how far a figure of them is to be trusted."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score, roc_curve

SPECIFICITY_FLOOR = 0.90
RESAMPLES = 1000
"""Draws of patients behind an interval."""
PIXELS = ("intersection", "predicted", "true")
"""Counts of a film's pixels: in both masks, in the predicted one, in the true one."""


def dice_scores(intersection: np.ndarray, predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Dice score of each film.

    Args:
        intersection: Pixels marked in both masks.
        predicted: Pixels in the predicted mask.
        true: Pixels in the true mask.

    Returns:
        2·intersection / (predicted + true); 1 where both are empty, as in SIIM-ACR.
    """
    total = predicted + true
    return np.where(total == 0, 1.0, 2 * intersection / np.maximum(total, 1))


def overlap(predicted_masks: np.ndarray, true_masks: np.ndarray) -> dict[str, np.ndarray]:
    """Count the pixels of masks, bool (..., H, W), film by film, as `dice_scores` wants them."""
    return {
        "intersection": (predicted_masks & true_masks).sum(axis=(-2, -1)),
        "predicted": predicted_masks.sum(axis=(-2, -1)),
        "true": true_masks.sum(axis=(-2, -1)),
    }


def mean_of_known(values: np.ndarray) -> float:
    """Mean of the values that are no NaN; NaN where there is none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def auroc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve; NaN where one class is missing."""
    return float(roc_auc_score(labels, scores)) if 0 < np.sum(labels) < len(labels) else float("nan")


def sensitivity_at_specificity(labels: np.ndarray, scores: np.ndarray, floor: float = SPECIFICITY_FLOOR) -> float:
    """Highest sensitivity of any threshold whose specificity is at least `floor`."""
    false_positive_rate, sensitivity, _ = roc_curve(labels, scores, drop_intermediate=False)
    return float(sensitivity[1 - false_positive_rate >= floor].max())


def reliability(labels: np.ndarray, probabilities: np.ndarray, bins: int = 15) -> tuple[np.ndarray, ...]:
    """Mean prediction, observed frequency and size of bins of equal mass."""
    groups = np.array_split(np.argsort(probabilities, kind="stable"), min(bins, len(labels)))
    per_bin = [(probabilities[group].mean(), labels[group].mean(), len(group)) for group in groups]
    return tuple(np.array(column) for column in zip(*per_bin, strict=True))


def expected_calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = 15) -> float:
    """Mean distance of predicted from observed frequency over bins of equal mass (Naeini et al., 2015)."""
    predicted, observed, sizes = reliability(labels, probabilities, bins)
    return float(np.average(np.abs(predicted - observed), weights=sizes))


def bootstrap_intervals(
    table: pd.DataFrame,
    statistic: Callable[[pd.DataFrame], dict[str, float]],
    *,
    resamples: int | None = None,
) -> dict[str, tuple[float, float]]:
    """Percentile intervals, 95 %, from drawing patients (not films) with replacement.

    Args:
        table: One row a film, with the columns patient_id, label and what `statistic` needs.
        statistic: What to compute on each resample.
        resamples: Number of draws, `RESAMPLES` unless another is named; those that miss a class the table has are
            drawn again.
    """
    rng = np.random.default_rng(0)
    films_of = list(table.groupby("patient_id").indices.values())
    classes = table["label"].nunique()
    draws: list[dict[str, float]] = []
    while len(draws) < (resamples or RESAMPLES):
        chosen = rng.integers(len(films_of), size=len(films_of))
        resample = table.iloc[np.concatenate([films_of[patient] for patient in chosen])]
        if resample["label"].nunique() == classes:
            draws.append(statistic(resample))
    figures = pd.DataFrame(draws)
    return {
        name: (float(figures[name].quantile(0.025)), float(figures[name].quantile(0.975))) for name in figures.columns
    }
