"""Fit the two tables of `app.segmentation.reading.orientation`; `evidence.measure_doubts` measures what they tell.

Every film is taken to lie upright with bright bone; its turns and negatives are made from it. Training films
that a first fit takes for turned or inverted are left out of the second: some are.
"""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import torch

from app.segmentation.reading.orientation import CELLS, sampled, without_frame
from training.data.films import PreparedFilms
from training.measuring.writing import publish

THUMBNAIL = 64
COPIES = 3
"""Of a film: as it is, and two crops of another exposure; or upright, and at two slants."""
WIDEST_SLANT = 45
WEIGHT_DECAY = 2e-5
RIDGE = 0.3


def fit_orientation(data: Path, out: Path | None = None) -> dict:
    """Print and write both tables, fitted on train.

    Args:
        data: Prepared folder.
        out: JSON file to write, besides printing.

    Returns:
        What was written: "upright" and "tilt", 8 × 4 integers each.
    """
    films = PreparedFilms.open(data)
    thumbnails = np.stack([_thumbnail(films.image(row)) for row in films.rows("train")])
    certainties = _certainties(_fit_upright(thumbnails), _cells(thumbnails))
    thumbnails = thumbnails[certainties[:, 1:].amax(dim=1).numpy() < 0.9]
    tables = {"upright": _fit_upright(thumbnails).round().int().tolist(), "tilt": _fit_tilt(thumbnails)}
    publish(tables, out)
    return tables


def tilted(image: np.ndarray, degrees: float, fills: bool = True) -> np.ndarray:
    """Turn a film about its centre; zoom in until it fills the picture again, or leave black corners."""
    height, width = image.shape
    zoom = abs(np.cos(np.radians(degrees))) + abs(np.sin(np.radians(degrees))) if fills else 1
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, zoom)
    border = cv2.BORDER_REPLICATE if fills else cv2.BORDER_CONSTANT
    return cv2.warpAffine(image, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=border)


def _thumbnail(image: np.ndarray) -> np.ndarray:
    return cv2.resize(without_frame(sampled(image)), (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)


def _cells(pictures: Iterable[np.ndarray]) -> torch.Tensor:
    """Standardised cells, float32 (N, 8, 8), of N pictures (H, W)."""
    cells = np.stack([cv2.resize(picture, (CELLS, CELLS), interpolation=cv2.INTER_AREA) for picture in pictures])
    cells = cells - cells.mean(axis=(1, 2), keepdims=True)
    return torch.from_numpy(cells / np.linalg.norm(cells, axis=(1, 2), keepdims=True)).float()


def _log_likelihoods(half: torch.Tensor, cells: torch.Tensor) -> torch.Tensor:
    weights = torch.cat([half, half.flip(1)], dim=1)
    matches = torch.stack([(torch.rot90(cells, turns, (1, 2)) * weights).sum((1, 2)) for turns in range(4)], dim=1)
    return torch.cat([matches, -matches], dim=1).log_softmax(dim=1)


def _certainties(half: torch.Tensor, cells: torch.Tensor) -> torch.Tensor:
    """Softmax, (N, 8): upright and three turns, then the same inverted."""
    return _log_likelihoods(half, cells).exp()


def _fit_upright(thumbnails: np.ndarray) -> torch.Tensor:
    chance = np.random.default_rng(0)
    pictures = [*thumbnails, *(_other_copy(film, chance) for film in thumbnails for _ in range(COPIES - 1))]
    cells = _cells(pictures)
    half = torch.zeros(CELLS, CELLS // 2, requires_grad=True)
    optimiser = torch.optim.LBFGS([half], max_iter=150, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = WEIGHT_DECAY * half.square().sum() - _log_likelihoods(half, cells)[:, 0].mean()
        value.backward()
        return value

    optimiser.step(loss)
    return half.detach()


def _other_copy(film: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """A crop of three quarters a side or more, under another display curve."""
    height, width = chance.integers(3 * THUMBNAIL // 4, THUMBNAIL + 1, 2)
    top, left = chance.integers(0, THUMBNAIL + 1 - height), chance.integers(0, THUMBNAIL + 1 - width)
    return film[top : top + height, left : left + width] ** np.exp(chance.uniform(-0.5, 0.5))


def _fit_tilt(thumbnails: np.ndarray) -> list[list[int]]:
    """Ridge regression of the slant on the differences between cells and their mirror images."""
    chance = np.random.default_rng(0)
    slants = chance.uniform(-WIDEST_SLANT, WIDEST_SLANT, COPIES * len(thumbnails))
    slants[::COPIES] = 0
    pictures = [tilted(thumbnails[index // COPIES], slant, fills=index % 2 == 0) for index, slant in enumerate(slants)]
    cells = _cells(pictures).numpy()
    differences = (cells - cells[:, :, ::-1])[:, :, : CELLS // 2].reshape(len(cells), -1)
    weights = np.linalg.solve(
        differences.T @ differences + RIDGE * np.eye(differences.shape[1]), differences.T @ slants
    )
    return np.rint(weights).astype(int).reshape(CELLS, -1).tolist()
