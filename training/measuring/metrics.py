"""What is measured, film by film, and how it is summed up.

A film is one row of a table with the columns label, probability, finding, intersection, predicted
and true; the last three are pixel counts of its masks in the film's own geometry.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score, roc_curve

from app.segmentation.decision.calibration import Finding

SPECIFICITY_FLOOR = 0.90
RESAMPLES = 1000
"""Draws of patients behind an interval."""


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


def film_dice(table: pd.DataFrame) -> np.ndarray:
    """Dice score of each film of a table."""
    return dice_scores(*(table[name].to_numpy() for name in ("intersection", "predicted", "true")))


def overlap(predicted_masks: np.ndarray, true_masks: np.ndarray) -> dict[str, np.ndarray]:
    """Count the pixels of masks, bool (..., H, W), film by film, as `dice_scores` wants them."""
    return {
        "intersection": (predicted_masks & true_masks).sum(axis=(-2, -1)),
        "predicted": predicted_masks.sum(axis=(-2, -1)),
        "true": true_masks.sum(axis=(-2, -1)),
    }


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


def summarise(table: pd.DataFrame) -> dict[str, float]:
    """Sum up one split.

    Sensitivity and specificity are forced decisions at the operating point's threshold; what changes
    when indeterminate films are left out stands in "errors_removed_by_abstaining". The three figures
    "…_found_…" count findings as the application gives them.

    Args:
        table: One row a film, with the columns named above and "called", the forced decision.

    Returns:
        Figures by name; `dice_all_if_empty` is what predicting nothing at all would score.
    """
    label = table["label"].to_numpy() == 1
    probability = table["probability"].to_numpy()
    called = table["called"].to_numpy() == 1
    counts = {name: table[name].to_numpy() for name in ("intersection", "predicted", "true")}
    dice = film_dice(table)
    union = counts["predicted"] + counts["true"] - counts["intersection"]
    wrong = called != label
    finding = table["finding"].to_numpy()
    abstained = finding == Finding.INDETERMINATE
    return {
        "auroc": auroc(label, probability),
        "average_precision": float(average_precision_score(label, probability)),
        "dice_pos": float(dice[label].mean()),
        "iou_pos": float((counts["intersection"][label] / union[label]).mean()),
        "dice_all": float(dice.mean()),
        "dice_all_if_empty": float((~label).mean()),
        "dice_pooled": float(2 * counts["intersection"].sum() / (counts["predicted"].sum() + counts["true"].sum())),
        "sensitivity": float(called[label].mean()),
        "specificity": float((~called[~label]).mean()),
        "sensitivity_at_specificity_90": sensitivity_at_specificity(label, probability),
        "false_masks": float((counts["predicted"][~label] > 0).mean()),
        "calibration_error": expected_calibration_error(label, probability),
        "brier": float(brier_score_loss(label, probability)),
        "positives_found_positive": float((finding == Finding.POSITIVE)[label].mean()),
        "positives_found_negative": float((finding == Finding.NEGATIVE)[label].mean()),
        "negatives_found_positive": float((finding == Finding.POSITIVE)[~label].mean()),
        "abstained": float(abstained.mean()),
        "errors_removed_by_abstaining": float((wrong & abstained).sum() / max(wrong.sum(), 1)),
    }


def bootstrap_intervals(
    table: pd.DataFrame,
    statistic: Callable[[pd.DataFrame], dict[str, float]] = summarise,
    *,
    resamples: int | None = None,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Percentile intervals, 95 %, from drawing patients (not films) with replacement.

    Args:
        table: As `summarise` takes it, with the column "patient_id".
        statistic: What to compute on each resample.
        resamples: Number of draws, `RESAMPLES` unless another is named; those that miss a class the table has are
            drawn again.
        seed: Of the draws.
    """
    rng = np.random.default_rng(seed)
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
