"""What a film's grey levels may be on another day, on another machine, through another archive.

Tones are another exposure or display curve. Degradations hide which machine and archive a film came from, so that the
network cannot learn the source instead of the disease. How a film is moved, turned and mirrored is in `windows`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np


@dataclass(frozen=True)
class Step:
    """One change of grey levels that training makes by chance.

    Attributes:
        name: For people.
        chance: How often it is made, 0 to 1.
        change: Takes grey levels, float32 in [0, 1], and what is drawn from; gives levels of the same shape that may
            leave [0, 1].
    """

    name: str
    chance: float
    change: Callable[[np.ndarray, np.random.Generator], np.ndarray]


def gamma(levels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Raise grey levels to a random power: another display curve."""
    return levels ** np.exp(rng.uniform(-0.4, 0.4))


def contrast_and_brightness(levels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Stretch and shift grey levels, about the middle of the scale."""
    return 0.5 + (levels - 0.5) * rng.uniform(0.7, 1.3) + rng.uniform(-0.15, 0.15)


def blur(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur a picture (H, W) by up to 1.2 pixels."""
    return cv2.GaussianBlur(image, (5, 5), rng.uniform(0.3, 1.2))


def sharpen(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sharpen a picture (H, W), as many machines do before they store it."""
    return image + rng.uniform(0.3, 1.0) * (image - cv2.GaussianBlur(image, (0, 0), rng.uniform(1, 3)))


def noise(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add Gaussian noise of up to a twenty-fifth of the grey scale."""
    return image + rng.uniform(0, 0.04) * rng.standard_normal(image.shape, dtype=np.float32)


def jpeg(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Compress a picture (H, W) as JPEG of a quality from 35 to 95."""
    return jpeg_round_trip(np.clip(image, 0, 1), int(rng.integers(35, 96)))


def jpeg_round_trip(image: np.ndarray, quality: int) -> np.ndarray:
    """Compress a film, float32 (H, W) in [0, 1], as JPEG of a quality from 0 to 100, and decode it again."""
    _, encoded = cv2.imencode(".jpg", np.rint(image * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded: Any = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
    return decoded.astype(np.float32) / 255


TONES = (Step("gamma", 0.6, gamma), Step("contrast and brightness", 0.5, contrast_and_brightness))
"""Each pixel by itself: applied to the grey scale, before a film is standardised."""
DEGRADATIONS = (
    *(Step("blur", 0.2, blur), Step("sharpening", 0.15, sharpen), Step("noise", 0.3, noise)),
    Step("JPEG compression", 0.3, jpeg),
)
"""Of a window, after its film was standardised: they hardly move mean and deviation."""


def by_chance(levels: np.ndarray, steps: Sequence[Step], rng: np.random.Generator) -> np.ndarray:
    """Make each of some changes as often as it asks.

    Args:
        levels: Grey levels, float32 in [0, 1].
        steps: `TONES`, of any array; or `DEGRADATIONS`, of a picture (H, W).
        rng: What is drawn from.

    Returns:
        Levels of the same shape, float32 in [0, 1].
    """
    for step in steps:
        if rng.random() < step.chance:
            levels = step.change(levels, rng)
    return np.clip(levels, 0, 1).astype(np.float32, copy=False)


def tone_curve(rng: np.random.Generator) -> np.ndarray:
    """Draw another exposure or display curve: float32 (256,) in [0, 1], the new grey level of every old one."""
    return by_chance(np.linspace(0, 1, 256, dtype=np.float32), TONES, rng)
