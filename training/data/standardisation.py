"""How a window is standardised: by the mean and deviation of its whole film, as that film will be when it is answered.

Serving knows the whole film only (`preprocessing.normalise`); a window that was standardised by itself would look
brighter over the heart and darker in the lung than it does there.
"""

import numpy as np

from app.segmentation.network.preprocessing import MIN_STANDARD_DEVIATION


def film_statistics(film: np.ndarray, curve: np.ndarray) -> tuple[float, float]:
    """Measure mean and standard deviation of a film, uint8 (S, S), after a tone curve (256,)."""
    share = np.bincount(film.ravel(), minlength=256) / film.size
    mean = float(share @ curve)
    return mean, float(np.sqrt(share @ (curve - mean) ** 2))


def standardise(window: np.ndarray, mean: float, spread: float) -> np.ndarray:
    """Bring a window, float32 (W, W), to the scale of its film, whose mean and standard deviation are given."""
    return ((window - mean) / max(spread, MIN_STANDARD_DEVIATION)).astype(np.float32)
