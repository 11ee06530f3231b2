"""What is measured, film by film, and how it is summed up."""

import numpy as np
from sklearn.metrics import roc_auc_score


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


def overlap(probability_maps: np.ndarray, true_masks: np.ndarray, threshold: float) -> dict[str, np.ndarray]:
    """Pixel counts of each film at one threshold, ready for `dice_scores`.

    Args:
        probability_maps: float (N, H, W).
        true_masks: bool (N, H, W).
        threshold: Pixels at or above it are predicted.
    """
    predicted = probability_maps >= threshold
    return {
        "intersection": (predicted & true_masks).sum(axis=(1, 2)),
        "predicted": predicted.sum(axis=(1, 2)),
        "true": true_masks.sum(axis=(1, 2)),
    }


def auroc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve; NaN where one class is missing."""
    return float(roc_auc_score(labels, scores)) if 0 < np.sum(labels) < len(labels) else float("nan")
