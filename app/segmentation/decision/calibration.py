"""Raw evidence of the network -> calibrated probability -> finding."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from app.segmentation.network.logits import sigmoid

SPECIFICITY_IN_NAME = re.compile(r"specificity (0\.\d+)")

if TYPE_CHECKING:
    from torch import Tensor

Logit = TypeVar("Logit", float, "Tensor")


class Finding(StrEnum):
    """What is said of a film."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    INDETERMINATE = "indeterminate"


@dataclass(frozen=True)
class Calibration:
    """Platt scaling of two logits: the image head's and the map's.

    Fitted by logistic regression on the validation split (Platt, 1999).
    """

    image_weight: float
    map_weight: float
    bias: float

    def probability(self, image_logit: float, map_logit: float) -> float:
        """Return the calibrated probability of a pneumothorax, in [0, 1]."""
        return float(sigmoid(self.score(image_logit, map_logit)))

    def score(self, image_logit: Logit, map_logit: Logit) -> Logit:
        """Return the logit of that probability: a float of floats, a tensor of tensors (`network.attribution`)."""
        return self.image_weight * image_logit + self.map_weight * map_logit + self.bias


@dataclass(frozen=True)
class OperatingPoint:
    """Where probabilities become findings.

    Attributes:
        name: What the page calls it.
        threshold: Films at or above it are positive.
        indeterminate_low: Films from here …
        indeterminate_high: … to below here are indeterminate instead.
        specificity: Share of the validation films without a pneumothorax that lie below the threshold at least, if it
            was chosen by that. Checkpoints of before 2026-11-27 say it in their name alone, as "specificity 0.90".
    """

    name: str
    threshold: float
    indeterminate_low: float
    indeterminate_high: float
    specificity: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.indeterminate_low <= self.threshold <= self.indeterminate_high <= 1:
            raise ValueError(f"The indeterminate band must hold the threshold: {self}")
        if self.specificity is None and (named := SPECIFICITY_IN_NAME.fullmatch(self.name)):
            object.__setattr__(self, "specificity", float(named[1]))

    def finding(self, probability: float) -> Finding:
        """Turn a calibrated probability into a finding."""
        if self.indeterminate_low <= probability < self.indeterminate_high:
            return Finding.INDETERMINATE
        return Finding.POSITIVE if self.calls(probability) else Finding.NEGATIVE

    def calls(self, probability: float) -> bool:
        """Whether a forced decision, without a band, would call a film positive."""
        return probability >= self.threshold
