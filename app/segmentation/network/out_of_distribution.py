"""Is this film of the kind the network learned from? A distance in its own feature space."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class FeatureDistribution:
    """Where the encoder puts training films: their mean and spread.

    The distance is Mahalanobis' (Lee et al., NeurIPS 2018, with a single class).

    Attributes:
        mean: float32 (C,), mean of the encoder's pooled deepest features.
        whitening: float32 (C, C), maps their covariance to the identity.
        limit: Distance beyond which an answer is not to be trusted; chosen on the validation split.
    """

    mean: np.ndarray
    whitening: np.ndarray
    limit: float

    def distance(self, features: np.ndarray) -> float:
        """Return how far features, float32 (C,), lie from the training films'; about √C for one of them."""
        return float(np.linalg.norm((features - self.mean) @ self.whitening))

    def in_limits(self, features: np.ndarray) -> float:
        """Return the same in limits: beyond 1 an answer is not to be trusted."""
        return self.distance(features) / self.limit
