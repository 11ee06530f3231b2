"""How a film lies, by its large shapes alone: upright, turned or at a slant, with bright bone or dark.

A chest shrunk to 8 × 8 cells still has dark upper corners, lungs darker than what is between them, and a
bright abdomen. Two tables weigh the cells: one tells the four turns and their inversions apart (a softmax
over how well each resembles an upright film), the other tells the slant in degrees. Both were fitted on the
training films by `python -m training fit_orientation`, which says how well they do.
"""

from dataclasses import dataclass

import cv2
import numpy as np

CERTAIN = 0.9
"""Certainty from which a film is taken for inverted, and shown the other way round."""
MIN_RESEMBLANCE = 0.25
"""What resembles a chest less than this, the right way round, is not inverted on a guess."""

CELLS = 8
SAMPLED_SIDE = 256
MIN_FILM_SIDE = 32

UPRIGHT_WEIGHTS = np.array(
    [
        [-5, -3, -1, 4],
        [4, -2, -2, 0],
        [2, 1, -1, -2],
        [-1, 0, -1, 0],
        [-4, -3, -2, 2],
        [-1, 0, 0, 5],
        [0, -1, 0, 3],
        [-6, 2, 4, 7],
    ]
)
"""Weights of the left half's cells; the right half has the same, mirrored."""

TILT_WEIGHTS = np.array(
    [
        [6, -9, -14, 10],
        [9, 13, 4, -5],
        [-13, 12, 36, 22],
        [-6, -25, -5, 45],
        [24, -18, -23, -19],
        [-32, 23, -14, -14],
        [-1, -36, 8, 12],
        [-9, 28, -25, -38],
    ]
)
"""Weights, in degrees, of the left half's cells; the right half has the same, mirrored and negated."""


@dataclass(frozen=True)
class Orientation:
    """How a film lies. The three certainties and that of a film that is both inverted and turned add up to 1.

    Attributes:
        upright: Certainty that it lies as it should.
        inverted: Certainty that it is upright with dark bone.
        turned: Certainty that it lies on a side or upside down, with bright bone.
        resemblance: Cosine, -1 to 1, between its cells and an upright film's; negative where bone is dark.
        tilt_degrees: Slant of the body; means something on an upright film alone.
    """

    upright: float
    inverted: float
    turned: float
    resemblance: float
    tilt_degrees: float


def orientation_of(image: np.ndarray) -> Orientation:
    """Say how a film, float32 (H, W) in [0, 1], lies."""
    film = without_frame(sampled(image))
    cells = cv2.resize(film, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    cells = cells - cells.mean()
    cells /= max(float(np.linalg.norm(cells)), 1e-6)
    weights = np.hstack([UPRIGHT_WEIGHTS, UPRIGHT_WEIGHTS[:, ::-1]])
    matches = np.array([float((weights * np.rot90(cells, turns)).sum()) for turns in range(4)])
    likelihoods = np.exp(np.concatenate([matches, -matches]))
    certainties = likelihoods / likelihoods.sum()
    slant = np.hstack([TILT_WEIGHTS, -TILT_WEIGHTS[:, ::-1]])
    return Orientation(
        upright=float(certainties[0]),
        inverted=float(certainties[4]),
        turned=float(certainties[1:4].sum()),
        resemblance=float(matches[0] / np.linalg.norm(weights)),
        tilt_degrees=float((slant * cells).sum()),
    )


def sampled(image: np.ndarray) -> np.ndarray:
    """Every so many-th pixel, for what needs no detail: at least `SAMPLED_SIDE` a side, or all there are."""
    step = max(1, min(image.shape) // SAMPLED_SIDE)
    return image[::step, ::step]


def without_frame(image: np.ndarray) -> np.ndarray:
    """Cut off the outer rows and columns of which less than 30 % is grey, such as a viewer's margin: black or white."""
    grey = (image > 3 / 255) & (image < 252 / 255)
    rows, columns = np.flatnonzero(grey.mean(axis=1) > 0.3), np.flatnonzero(grey.mean(axis=0) > 0.3)
    if min(rows.size, columns.size) < MIN_FILM_SIDE:
        return image
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
