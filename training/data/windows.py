"""Windows cut out of films: most of what they show of a positive film is a pleural line.

A pneumothorax covers a hundredth of a film. A step on windows costs a fifth of one on whole films, and nearly every
one teaches about a border. A window is seen as part of its film: it is standardised by the whole film's mean and
deviation, as that film will be when the network answers it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from app.segmentation.network.preprocessing import MIN_STANDARD_DEVIATION
from training.data.augmentation import jpeg_round_trip


@dataclass(frozen=True)
class WindowConfig:
    """Where windows lie and how they are turned; lengths in pixels of the film at `image_size`.

    Attributes:
        size: Side of a window, a multiple of 32; 0 shows whole films instead.
        near_share: Share of a positive film's windows that are centred near a marked pixel, the others lie anywhere.
        distance: How far a window's centre is from that pixel at most, along each axis.
        magnification: Smallest and largest, log-uniform.
        degrees: Largest turn to either side.
    """

    size: int = 0
    near_share: float = 5 / 6
    distance: int = 90
    magnification: tuple[float, float] = (0.7, 1.4)
    degrees: float = 6.0


def window_matrix(mask: np.ndarray, config: WindowConfig, rng: np.random.Generator) -> np.ndarray:
    """Draw the place of a window.

    Args:
        mask: bool (S, S), the film's reference mask.
        config: Sizes and shares.
        rng: What is drawn from.

    Returns:
        Affine map from film to window, float (2, 3), as `cv2.warpAffine` takes it.
    """
    side, (low, high) = len(mask), np.log(config.magnification)
    magnification = np.exp(rng.uniform(low, high))
    half = min(config.size / magnification, side) / 2
    marked = np.flatnonzero(mask) if rng.random() < config.near_share else ()
    if len(marked):
        point = np.array(divmod(rng.choice(marked), side))[::-1]
        centre = point + rng.uniform(-config.distance, config.distance, 2)
    else:
        centre = rng.uniform(0, side, 2)
    x, y = np.clip(centre, half, side - half)
    matrix = cv2.getRotationMatrix2D((x, y), rng.uniform(-config.degrees, config.degrees), magnification)
    matrix[:, 2] += config.size / 2 - np.array([x, y])
    if rng.random() < 0.5:
        matrix[0] *= -1
        matrix[0, 2] += config.size - 1
    return matrix


def tone_curve(rng: np.random.Generator) -> np.ndarray:
    """Draw another exposure or display curve: float32 (256,) in [0, 1], the new grey level of every old one."""
    curve = np.linspace(0, 1, 256)
    if rng.random() < 0.6:
        curve = curve ** np.exp(rng.uniform(-0.4, 0.4))
    if rng.random() < 0.5:
        curve = 0.5 + (curve - 0.5) * rng.uniform(0.7, 1.3) + rng.uniform(-0.15, 0.15)
    return np.clip(curve, 0, 1).astype(np.float32)


def cut_window(
    film: np.ndarray, mask: np.ndarray, config: WindowConfig, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cut a window out of a film, with the grey levels of another day.

    Args:
        film: uint8 (S, S).
        mask: bool (S, S).
        config: Sizes and shares.
        rng: What is drawn from.

    Returns:
        Window float32 (1, W, W), standardised as its film; mask float32 (1, W, W) in {0, 1}.
    """
    matrix, curve = window_matrix(mask, config, rng), tone_curve(rng)
    mean, spread = film_statistics(film, curve)
    shape = (config.size, config.size)
    window = curve[cv2.warpAffine(film, matrix, shape, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)]
    window = degrade(window, rng)
    moved = cv2.warpAffine(mask.astype(np.float32), matrix, shape, flags=cv2.INTER_LINEAR) >= 0.5
    return (
        torch.from_numpy((window - mean) / max(spread, MIN_STANDARD_DEVIATION)).to(torch.float32)[None],
        torch.from_numpy(moved.astype(np.float32))[None],
    )


def film_statistics(film: np.ndarray, curve: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of a film, uint8 (S, S), after a tone curve (256,)."""
    share = np.bincount(film.ravel(), minlength=256) / film.size
    mean = float(share @ curve)
    return mean, float(np.sqrt(share @ (curve - mean) ** 2))


def degrade(window: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur, sharpen, add noise and compress, each by chance: float32 (W, W) in [0, 1] to the same.

    It hides which machine and archive a film came from.
    """
    if rng.random() < 0.2:
        window = cv2.GaussianBlur(window, (5, 5), rng.uniform(0.3, 1.2))
    if rng.random() < 0.15:
        window = window + rng.uniform(0.3, 1.0) * (window - cv2.GaussianBlur(window, (0, 0), rng.uniform(1, 3)))
    if rng.random() < 0.3:
        window = window + rng.normal(0, rng.uniform(0, 0.04), window.shape).astype(np.float32)
    window = np.clip(window, 0, 1)
    return jpeg_round_trip(window, int(rng.integers(35, 96))) if rng.random() < 0.3 else window
