"""A weighted mean of several networks' evidence.

The weights are not negative and sum to one. They weigh the probability maps, pixel by pixel, and the image heads'
logits; everything after that, calibration and thresholds, is chosen for the mean as it is for one network.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from tqdm import tqdm

from app.segmentation.network.engine import Evidence
from app.segmentation.network.logits import map_logit
from app.segmentation.network.preprocessing import restore
from training.learning.validation import THRESHOLDS
from training.measuring.metrics import auroc, dice_scores, overlap
from training.releasing.calibrate import fit_platt

STEPS = 10
"""Weights are multiples of one tenth: some fifty positive films cannot tell finer ones apart."""
NOTHING = np.empty(0, dtype=np.float32)
"""In the place of maps that nobody needs any more, and of features that networks do not share."""


def simplex(members: int, steps: int = STEPS) -> np.ndarray:
    """List all weights, (K, members), that are multiples of 1 / steps and sum to one, those nearest to equal first."""
    grid = np.array([parts for parts in product(range(steps + 1), repeat=members) if sum(parts) == steps]) / steps
    return grid[np.argsort(grid.var(axis=1), kind="stable")]


def combine(evidence: Sequence[Evidence], weights: Sequence[float] | np.ndarray) -> Evidence:
    """Weigh what several networks say of one film.

    Args:
        evidence: Of each network. Maps may differ in size; the result has the largest.
        weights: Not negative, with the sum one.

    Returns:
        Evidence without features, which networks do not share, nor disagreement.
    """
    return _weighed(evidence, _stacked(evidence), weights)


def fit_weights(evidence: Sequence[Sequence[Evidence]], true_masks: Sequence[np.ndarray]) -> np.ndarray:
    """Take the weights with the best AUROC + dice_pos, by which `train` chooses an epoch too.

    Args:
        evidence: Of each network, of every film of the validation split.
        true_masks: bool (H, W), their reference masks.

    Returns:
        float (members,). Of equally good ones, those nearest to equal.
    """
    grid = simplex(len(evidence))
    labels = np.array([mask.any() for mask in true_masks])
    mixed: list[list[Evidence]] = [[] for _ in grid]
    thresholds = np.array(THRESHOLDS)[:, None, None]
    dice = np.full((len(grid), len(thresholds), len(labels)), np.nan)
    for film, seen in enumerate(tqdm(list(zip(*evidence, strict=True)), "weights", unit="film")):
        maps = _stacked(seen)
        for index, weights in enumerate(grid):
            answer = _weighed(seen, maps, weights)
            mixed[index].append(replace(answer, probability_map=NOTHING, disagreement_map=NOTHING))
            if labels[film]:
                whole = restore(answer.probability_map, true_masks[film].shape)
                dice[index, :, film] = dice_scores(**overlap(whole >= thresholds, true_masks[film]))
    dice_pos = dice[..., labels].mean(axis=-1).max(axis=-1)
    return grid[np.argmax([_auroc(answers, labels) for answers in mixed] + dice_pos)]


def _auroc(evidence: list[Evidence], labels: np.ndarray) -> float:
    calibration = fit_platt(evidence, labels)
    return auroc(labels, np.array([calibration.probability(seen.image_logit, seen.map_logit) for seen in evidence]))


def _stacked(evidence: Sequence[Evidence]) -> np.ndarray:
    side = max(len(seen.probability_map) for seen in evidence)
    return np.stack([restore(np.asarray(seen.probability_map, dtype=np.float32), (side, side)) for seen in evidence])


def _weighed(evidence: Sequence[Evidence], maps: np.ndarray, weights: Sequence[float] | np.ndarray) -> Evidence:
    probability_map = np.tensordot(np.asarray(weights, dtype=np.float32), maps, axes=1)
    image_logit = float(np.dot(weights, [seen.image_logit for seen in evidence]))
    nothing = np.zeros_like(probability_map)
    return Evidence(probability_map, nothing, image_logit, map_logit(probability_map), NOTHING)
