"""A decoded radiograph to the network's input, and a probability map back to the film.

`preprocess` = `normalise` ∘ `resize` exists once: training augments between the two, validation and
serving call it verbatim.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from app.segmentation.errors import InvalidImageError

MIN_STANDARD_DEVIATION = 1 / 255
"""A film flatter than one grey level is not amplified."""


@dataclass(frozen=True)
class PreprocessingConfig:
    """What a checkpoint says of its input.

    Attributes:
        image_size: Side S of the square network input, in pixels. A multiple of 32.
    """

    image_size: int

    def __post_init__(self) -> None:
        check_side(self.image_size, "image_size")


def check_side(side: int, name: str) -> None:
    """Refuse a side, in pixels, that the network cannot halve five times.

    Raises:
        ValueError: If it is no positive multiple of 32.
    """
    if side < 32 or side % 32:
        raise ValueError(f"{name} must be a positive multiple of 32, not {side}")


def resize(image: np.ndarray, config: PreprocessingConfig) -> np.ndarray:
    """Bring a film to the network's square.

    The film is stretched, not padded: the public films the network learns from (NIH ChestX-ray14,
    and so SIIM-ACR) were stretched to a square by their publishers.

    Args:
        image: float32 (H, W).
        config: Target size, read from the checkpoint.

    Returns:
        float32 (S, S).
    """
    size = (config.image_size, config.image_size)
    if image.shape == size:
        return image
    shrinks = min(image.shape) >= config.image_size
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def normalise(image: np.ndarray) -> np.ndarray:
    """Standardise a film by its own mean and deviation.

    Exposure, window and display differ between machines by roughly an affine change of grey level;
    the network never sees it.

    Args:
        image: float32 (S, S).

    Returns:
        float32 (1, S, S), mean 0, standard deviation 1.
    """
    spread = max(float(image.std()), MIN_STANDARD_DEVIATION)
    return ((image - image.mean()) / spread).astype(np.float32, copy=False)[None]


def preprocess(image: np.ndarray, config: PreprocessingConfig) -> np.ndarray:
    """Turn a decoded radiograph into the array the network was trained on.

    Args:
        image: Greyscale radiograph, float32 (H, W) in [0, 1], bone bright (MONOCHROME2).
        config: Input size, read from the checkpoint.

    Returns:
        float32 (1, 1, S, S), S = `config.image_size` pixels.

    Raises:
        InvalidImageError: If `image` is not two-dimensional or leaves [0, 1].
    """
    if image.ndim != 2:
        raise InvalidImageError(f"A radiograph has two dimensions; this one has shape {image.shape}.")
    low, high = float(image.min()), float(image.max())
    if not (low >= 0 and high <= 1):  # also catches NaN
        raise InvalidImageError(f"Grey levels must lie in [0, 1]; these span [{low:g}, {high:g}].")
    return normalise(resize(image, config))[None]


def restore(probability_map: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Bring a probability map back to the film's own geometry: the inverse of `resize`.

    Args:
        probability_map: float32 (S, S) in [0, 1].
        shape: (H, W) of the film, in pixels.

    Returns:
        float32 (H, W) in [0, 1].
    """
    height, width = shape
    return cv2.resize(probability_map, (width, height), interpolation=cv2.INTER_LINEAR)
