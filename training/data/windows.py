"""Windows cut out of films: most of what they show of a positive film is a pleural line.

A pneumothorax covers a hundredth of a film. A step on windows costs a fifth of one on whole films, and nearly every
one teaches about a border. A whole film is a window, too: the one that shows all of it.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from training.data.augmentation import DEGRADATIONS, by_chance, tone_curve
from training.data.standardisation import film_statistics, standardise


@dataclass(frozen=True)
class WindowConfig:
    """Where windows lie and how they are turned; lengths in pixels of the film at `image_size`.

    Attributes:
        size: Side of a window, a multiple of 32; 0 shows whole films instead.
        near_share: Share of a positive film's windows that are centred near a marked pixel, the others lie anywhere;
            of no account for whole films.
        distance: How far a window's centre is from that pixel at most, along each axis.
        magnification: Smallest and largest of windows, log-uniform.
        film_magnification: Smallest and largest of whole films; above 1 a film loses a part of its border.
        degrees: Largest turn to either side.
        stretch: Largest ratio of the magnifications along the two axes.
        shear: Largest slant of upright lines, in degrees.
        soften: Standard deviation, in pixels, by which a mask's border is blurred; 0 leaves it sharp.
    """

    size: int = 0
    near_share: float = 5 / 6
    distance: int = 90
    magnification: tuple[float, float] = (0.7, 1.4)
    film_magnification: tuple[float, float] = (0.85, 1.2)
    degrees: float = 6.0
    stretch: float = 1.0
    shear: float = 0.0
    soften: float = 0.0

    def of_film(self, side: int) -> "WindowConfig":
        """Say what a window of a film (S, S) is: this, or where `size` is 0 the film itself."""
        return self if self.size else replace(self, size=side, near_share=0.0, magnification=self.film_magnification)


def window_matrix(mask: np.ndarray, config: WindowConfig, rng: np.random.Generator) -> np.ndarray:
    """Draw the place of a window.

    Args:
        mask: bool (S, S), the film's reference mask.
        config: Sizes and shares.
        rng: What is drawn from.

    Returns:
        Affine map from film to window, float (2, 3), as `cv2.warpAffine` takes it. The window lies within the film,
        but for its turn, as far as it is not larger.
    """
    side = len(mask)
    stretch = np.exp(rng.uniform(-0.5, 0.5) * np.log(config.stretch))
    magnification = np.exp(rng.uniform(*np.log(config.magnification))) * np.array([stretch, 1 / stretch])
    half = np.minimum(config.size / magnification, side) / 2
    marked = np.flatnonzero(mask) if rng.random() < config.near_share else ()
    if len(marked):
        point = np.array(divmod(rng.choice(marked), side))[::-1]
        centre = point + rng.uniform(-config.distance, config.distance, 2)
    else:
        centre = rng.uniform(0, side, 2)
    turn, slant = np.radians([rng.uniform(-config.degrees, config.degrees), rng.uniform(-config.shear, config.shear)])
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    linear = rotation @ np.array([[1, np.tan(slant)], [0, 1]]) * magnification
    matrix = np.column_stack([linear, config.size / 2 - linear @ np.clip(centre, half, side - half)])
    if rng.random() < 0.5:
        matrix[0] *= -1
        matrix[0, 2] += config.size - 1
    return matrix


def cut_window(
    film: np.ndarray, mask: np.ndarray, config: WindowConfig, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Cut a window out of a film, with the grey levels of another day.

    Args:
        film: uint8 (S, S).
        mask: bool (S, S).
        config: Sizes and shares; a `size` of 0 shows the whole film.
        rng: What is drawn from.

    Returns:
        Window float32 (W, W), standardised as its film; mask float32 (W, W) in {0, 1}.
    """
    config = config.of_film(len(film))
    matrix, curve = window_matrix(mask, config, rng), tone_curve(rng)
    window = by_chance(curve[warp(film, matrix, config.size)], DEGRADATIONS, rng)
    return standardise(window, *film_statistics(film, curve)), warp_mask(mask, matrix, config.size)


def warp(film: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """Show a film (S, S) through an affine map as a window (W, W); beyond its border it goes on as its last pixel."""
    return cv2.warpAffine(film, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def warp_mask(mask: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """Move a mask, bool (S, S), along with its film: float32 (W, W) in {0, 1}; nothing is marked beyond the border."""
    moved = cv2.warpAffine(mask.astype(np.float32), matrix, (size, size), flags=cv2.INTER_LINEAR)
    return (moved >= 0.5).astype(np.float32)


def soften_border(mask: np.ndarray, deviation: float) -> np.ndarray:
    """Blur a mask, float32 (W, W), by a standard deviation in pixels, since no two readers draw the same border."""
    return cv2.GaussianBlur(mask, (0, 0), deviation) if deviation else mask
