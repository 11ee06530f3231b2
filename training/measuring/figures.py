"""The figures that are reported, each computed in one place."""

from collections.abc import Callable, Iterable
from functools import cached_property

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, brier_score_loss

from app.segmentation.decision.calibration import Finding
from training.measuring.metrics import (
    PIXELS,
    auroc,
    dice_scores,
    expected_calibration_error,
    mean_of_known,
    sensitivity_at_specificity,
)


class Answers:
    """Answers to films as the arrays that figures are made of; each is asked for only where a figure needs it.

    Attributes:
        table: One row a film; of the columns label, probability, called (the forced decision), finding, intersection,
            predicted and true those that the figures need. The last three are pixel counts of its masks in the film's
            own geometry, NaN where no true mask is known.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table

    @cached_property
    def label(self) -> np.ndarray:
        """Bool: whether there is a pneumothorax."""
        return self.table["label"].to_numpy() == 1

    @cached_property
    def called(self) -> np.ndarray:
        """Bool: whether the film is called positive at the operating point."""
        return self.table["called"].to_numpy() == 1

    @cached_property
    def probability(self) -> np.ndarray:
        """The film's."""
        return self.table["probability"].to_numpy()

    @cached_property
    def counts(self) -> dict[str, np.ndarray]:
        """Pixels of the masks."""
        return {name: self.table[name].to_numpy() for name in PIXELS}

    @cached_property
    def dice(self) -> np.ndarray:
        """Dice score."""
        return dice_scores(**self.counts)

    @cached_property
    def iou(self) -> np.ndarray:
        """Intersection over union."""
        union = self.counts["predicted"] + self.counts["true"] - self.counts["intersection"]
        return self.counts["intersection"] / np.maximum(union, 1)

    def found(self, finding: Finding) -> np.ndarray:
        """Bool: whether the application says so of the film."""
        return (self.table["finding"] == finding).to_numpy()

    @property
    def wrong(self) -> np.ndarray:
        """Bool: whether the forced decision is."""
        return self.called != self.label


def _calibrated(answers: Answers, figure: Callable[[np.ndarray, np.ndarray], float]) -> float:
    has_both = 0 < answers.label.sum() < len(answers.label)
    return figure(answers.label, answers.probability) if has_both else float("nan")


def _pooled(answers: Answers) -> float:
    intersection, predicted, true = (answers.counts[name].sum() for name in PIXELS)
    return 2 * intersection / (predicted + true)


def _errors_removed(answers: Answers) -> float:
    return (answers.wrong & answers.found(Finding.INDETERMINATE)).sum() / max(answers.wrong.sum(), 1)


FIGURES: dict[str, Callable[[Answers], float]] = {
    "auroc": lambda of: auroc(of.label, of.probability),
    "average_precision": lambda of: average_precision_score(of.label, of.probability),
    "dice_pos": lambda of: mean_of_known(of.dice[of.label]),
    "iou_pos": lambda of: mean_of_known(of.iou[of.label]),
    "dice_all": lambda of: mean_of_known(of.dice),
    "dice_all_if_empty": lambda of: mean_of_known(~of.label),
    "dice_pooled": _pooled,
    "sensitivity": lambda of: mean_of_known(of.called[of.label]),
    "specificity": lambda of: mean_of_known(~of.called[~of.label]),
    "sensitivity_at_specificity_90": lambda of: sensitivity_at_specificity(of.label, of.probability),
    "ppv": lambda of: mean_of_known(of.label[of.called]),
    "npv": lambda of: mean_of_known(~of.label[~of.called]),
    "false_masks": lambda of: mean_of_known(of.counts["predicted"][~of.label] > 0),
    "calibration_error": lambda of: _calibrated(of, expected_calibration_error),
    "brier": lambda of: _calibrated(of, brier_score_loss),
    "positives_found_positive": lambda of: mean_of_known(of.found(Finding.POSITIVE)[of.label]),
    "positives_found_negative": lambda of: mean_of_known(of.found(Finding.NEGATIVE)[of.label]),
    "negatives_found_positive": lambda of: mean_of_known(of.found(Finding.POSITIVE)[~of.label]),
    "abstained": lambda of: mean_of_known(of.found(Finding.INDETERMINATE)),
    "errors_removed_by_abstaining": _errors_removed,
}
"""By name. Sensitivity, specificity and predictive values are forced decisions at the operating point; "…_found_…" and
"abstained" count findings as the application gives them. `dice_all_if_empty` is what predicting nothing would score."""

OF_A_SPLIT = tuple(name for name in FIGURES if name not in ("ppv", "npv"))
"""Predictive values go by the split's prevalence, which is nobody's."""


def figures_of(table: pd.DataFrame, names: Iterable[str]) -> dict[str, float]:
    """Compute figures; one is NaN where it has no film to be computed of.

    Args:
        table: As `Answers` takes it.
        names: Keys of `FIGURES`.
    """
    answers = Answers(table)
    return {name: float(FIGURES[name](answers)) for name in names}


def summarise(table: pd.DataFrame) -> dict[str, float]:
    """Sum up one split, which has films of both classes."""
    return figures_of(table, OF_A_SPLIT)
