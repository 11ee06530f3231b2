"""Probabilities as logits, and a whole map as one."""

import numpy as np

TOP_FRACTION = 0.0025
"""Share of the brightest map pixels that speak for the film; a third of the median true mask."""


def map_logit(probability_map: np.ndarray) -> float:
    """Condense a probability map into one logit: the mean of its brightest pixels.

    Args:
        probability_map: float32 (S, S) in [0, 1], in the network's own geometry.

    Returns:
        Logit of the mean over the brightest `TOP_FRACTION` of pixels.
    """
    values = probability_map.ravel()
    count = bright_pixels(values.size)
    return float(logit(np.partition(values, -count)[-count:].mean()))


def bright_pixels(pixels: int) -> int:
    """Count the pixels of a map, of so many, that speak for the film."""
    return max(1, round(TOP_FRACTION * pixels))


def logit(probability: float | np.ndarray) -> np.ndarray:
    """Log odds; probabilities are kept 1e-6 away from 0 and 1."""
    clipped = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.log(clipped / (1 - clipped))


def sigmoid(value: float | np.ndarray) -> np.ndarray:
    """Inverse of `logit`."""
    return 1 / (1 + np.exp(-np.asarray(value, dtype=np.float64)))
