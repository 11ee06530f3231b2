"""Choose, on the validation split, how evidence becomes an answer."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Protocol

import numpy as np
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_curve
from tqdm import tqdm

from app.segmentation.checkpoint import Checkpoint
from app.segmentation.decision.calibration import Calibration, OperatingPoint
from app.segmentation.decision.decision import Decision
from app.segmentation.decision.postprocessing import PostprocessingConfig, segment
from app.segmentation.network.engine import Evidence
from app.segmentation.network.out_of_distribution import FeatureDistribution
from app.segmentation.network.preprocessing import PreprocessingConfig, preprocess, restore
from app.segmentation.network.torch_engine import TorchEngine
from app.segmentation.reading.geometry import FilmGeometry
from training.data.films import PreparedFilms
from training.errors import UserError
from training.learning.losses import LossWeights, SegmentationLoss
from training.learning.validation import validate
from training.measuring.metrics import SPECIFICITY_FLOOR, dice_scores, overlap

MAX_ABSTENTION = 0.15
"""Largest share of validation films that may be called indeterminate."""
ERRORS_TO_REMOVE = 0.4
"""Share of the wrong decisions that abstaining is meant to remove."""
FAMILIAR_SHARE = 0.995
"""Share of validation films that are taken for films."""
MASK_THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)
MIN_AREA_FRACTIONS = (0.0, 0.0005, 0.001)
"""None larger: 2 % of the radiologists' masks in the training split are smaller than 0.001 of the film, but 23 % are
smaller than 0.004, and val has too few small ones to object."""


def choose_image_size(checkpoint: Checkpoint, films: PreparedFilms, sizes: Sequence[int]) -> Checkpoint:
    """Take the input size with the best "selection" on val, the figure by which training chooses its epoch.

    Random crops magnify what training shows, so that whole films somewhat larger than in training often
    do better (Touvron et al., "Fixing the train-test resolution discrepancy", NeurIPS 2019).

    Args:
        checkpoint: As trained.
        films: Prepared films.
        sizes: Sides of the square input, in pixels; none: the one it was trained with.
    """
    if not sizes:
        return checkpoint
    loss_function = SegmentationLoss(LossWeights())
    merits = {}
    for size in sizes:
        figures = validate(checkpoint.model, films, PreprocessingConfig(size), loss_function, batch_size=8)
        merits[size] = figures["selection"]
        print(f"{size} pixels: selection {merits[size]:.4f}", flush=True)
    preprocessing = PreprocessingConfig(max(merits, key=lambda size: merits[size]))
    return replace(checkpoint, metadata=replace(checkpoint.metadata, preprocessing=preprocessing))


def gather_evidence(
    checkpoint: Checkpoint, films: PreparedFilms, rows: Sequence[int] | np.ndarray, mirror_size: int | None
) -> list[Evidence]:
    """Run the network on films, exactly as serving would."""
    engine = TorchEngine(checkpoint.model, mirror_size)
    preprocessing = checkpoint.metadata.preprocessing
    return [engine.run(preprocess(films.image(row), preprocessing)) for row in tqdm(rows, "evidence", unit="film")]


def choose_decision(
    evidence: Sequence[Evidence], true_masks: Sequence[np.ndarray], mirror_size: int | None
) -> Decision:
    """Fit calibration, operating point and mask thresholds.

    Args:
        evidence: Of every film of the validation split.
        true_masks: bool (H, W), their reference masks.
        mirror_size: How the evidence was gathered, for whoever serves the decision.
    """
    labels = np.array([mask.any() for mask in true_masks])
    calibration = fit_platt(evidence, labels)
    probabilities = np.array([calibration.probability(seen.image_logit, seen.map_logit) for seen in evidence])
    operating_point = choose_operating_point(labels, probabilities)
    postprocessing = choose_postprocessing(evidence, probabilities, true_masks, operating_point)
    return Decision(mirror_size, postprocessing, calibration, operating_point)


def fit_feature_distribution(train: Sequence[Evidence], val: Sequence[Evidence]) -> FeatureDistribution:
    """Describe where the encoder puts films: fitted on training films, its limit on validation films.

    The covariance is shrunk (Ledoit & Wolf, 2004): there are only about three films for each feature.
    """
    features = np.stack([seen.features for seen in train])
    covariance = LedoitWolf().fit(features).covariance_
    spread, directions = np.linalg.eigh(covariance)
    spread = np.maximum(spread, 1e-7 * spread[-1])  # of very few films some are below zero by rounding
    fitted = FeatureDistribution(
        mean=features.mean(axis=0),
        whitening=(directions / np.sqrt(spread)).astype(np.float32),
        limit=float("inf"),
    )
    distances = [fitted.distance(seen.features) for seen in val]
    return replace(fitted, limit=float(np.quantile(distances, FAMILIAR_SHARE)))


class Logits(Protocol):
    """Whatever holds the two logits that calibration sees, such as `Evidence`."""

    @property
    def image_logit(self) -> float:
        """The image head's."""

    @property
    def map_logit(self) -> float:
        """The map's."""


def fit_platt(evidence: Sequence[Logits], labels: np.ndarray) -> Calibration:
    """Fit a logistic regression of the label on the two logits (Platt, 1999)."""
    logits = np.array([[seen.image_logit, seen.map_logit] for seen in evidence])
    fitted = LogisticRegression(C=1.0).fit(logits, labels)
    image_weight, map_weight = fitted.coef_[0]
    return Calibration(float(image_weight), float(map_weight), float(fitted.intercept_[0]))


def choose_operating_point(labels: np.ndarray, probabilities: np.ndarray) -> OperatingPoint:
    """Take the most sensitive threshold of sufficient specificity, and the band that abstains best.

    The band holds the threshold and at most `MAX_ABSTENTION` of the films. Of all such bands it is the one with
    the fewest films that removes `ERRORS_TO_REMOVE` of the wrong decisions or, if none does, as many as can be.

    Raises:
        UserError: If no film would be called positive at that specificity.
    """
    false_positive_rate, _, thresholds = roc_curve(labels, probabilities, drop_intermediate=False)
    threshold = float(thresholds[1 - false_positive_rate >= SPECIFICITY_FLOOR].min())
    if math.isinf(threshold):
        raise UserError(
            f"No threshold calls a film positive at a specificity of {SPECIFICITY_FLOOR:.2f}: of {len(labels)}"
            " validation films the highest probability is a negative's. The split is too small, or nothing was learnt."
        )
    wrong = (probabilities >= threshold) != (labels == 1)
    below = np.sort(probabilities[probabilities < threshold])[::-1]
    above = np.sort(probabilities[probabilities >= threshold])
    budget = int(MAX_ABSTENTION * len(labels))
    wanted = math.ceil(ERRORS_TO_REMOVE * wrong.sum())

    def merit(band: tuple[float, float]) -> tuple[int, int]:
        inside = (probabilities >= band[0]) & (probabilities < band[1])
        return min(int(wrong[inside].sum()), wanted), -int(inside.sum())

    bands = [
        (float(below[films_below - 1]) if films_below else threshold, float(above[films_above]))
        for films_below in range(min(budget, len(below)) + 1)
        for films_above in range(min(budget - films_below, len(above) - 1) + 1)
    ]
    name = f"specificity {SPECIFICITY_FLOOR:.2f}"
    return OperatingPoint(name, threshold, *max(bands, key=merit), specificity=SPECIFICITY_FLOOR)


def choose_postprocessing(
    evidence: Sequence[Evidence],
    probabilities: np.ndarray,
    true_masks: Sequence[np.ndarray],
    operating_point: OperatingPoint,
) -> PostprocessingConfig:
    """Take the mask threshold, smallest area and film gate with the best dice_all + dice_pos.

    Either alone misleads: dice_all is highest for a model that marks next to nothing, dice_pos for one
    that marks something on every film. Nothing is ever marked on a film that is called negative.
    """
    positive = np.array([mask.any() for mask in true_masks])
    candidates = [PostprocessingConfig(*pair, 0.0) for pair in product(MASK_THRESHOLDS, MIN_AREA_FRACTIONS)]
    dice = np.empty((len(candidates), len(positive)))  # without a film gate
    for film, (seen, true_mask) in enumerate(zip(tqdm(evidence, "thresholds", unit="film"), true_masks, strict=True)):
        probability_map = restore(seen.probability_map, true_mask.shape)
        for index, candidate in enumerate(candidates):
            mask, _ = segment(probability_map, 1.0, FilmGeometry(true_mask.shape), candidate)
            dice[index, film] = dice_scores(**overlap(mask, true_mask))

    lowest = operating_point.indeterminate_low
    gates = [lowest, *(gate for gate in np.quantile(probabilities, np.arange(0.02, 1.0, 0.02)) if gate > lowest)]
    gated = {gate: np.where(probabilities >= gate, dice, ~positive) for gate in gates}
    merit = {gate: dice.mean(axis=1) + dice[:, positive].mean(axis=1) for gate, dice in gated.items()}
    gate = max(gates, key=lambda gate: merit[gate].max())
    return replace(candidates[int(merit[gate].argmax())], min_film_probability=float(gate))
