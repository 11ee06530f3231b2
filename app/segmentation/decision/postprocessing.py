"""Probability map -> mask and regions, in the film's own geometry."""

from dataclasses import dataclass

import cv2
import numpy as np

from app.segmentation.reading.geometry import FilmGeometry, Laterality


@dataclass(frozen=True)
class PostprocessingConfig:
    """What counts as marked; chosen on the validation split.

    Attributes:
        mask_threshold: Pixels at or above this probability are marked.
        min_area_fraction: Connected regions smaller than this share of the film are dropped.
        min_film_probability: Nothing is marked on a film whose calibrated probability is below it.
    """

    mask_threshold: float
    min_area_fraction: float
    min_film_probability: float


@dataclass(frozen=True)
class Region:
    """One connected marked area.

    Attributes:
        laterality: The patient's side that holds the region's centre.
        bbox: (x, y, width, height) in the film's pixels, from its upper left corner.
        area_fraction: Share of the film.
        area_mm2: On the detector, where the film says credibly how large its pixels are; else None.
        probability: Mean of the map inside the region.
    """

    laterality: Laterality
    bbox: tuple[int, int, int, int]
    area_fraction: float
    area_mm2: float | None
    probability: float


def segment(
    probability_map: np.ndarray, film_probability: float, geometry: FilmGeometry, config: PostprocessingConfig
) -> tuple[np.ndarray, tuple[Region, ...]]:
    """Decide which pixels are marked.

    Args:
        probability_map: float32 (H, W) in [0, 1], in the film's own geometry.
        film_probability: Calibrated probability of the whole film.
        geometry: The film's, for the size of its pixels and its sides.
        config: Thresholds, read from the checkpoint.

    Returns:
        The mask, bool (H, W), and its regions, largest first.
    """
    mask = np.zeros(probability_map.shape, dtype=bool)
    if film_probability < config.min_film_probability:
        return mask, ()
    above = (probability_map >= config.mask_threshold).view(np.uint8)
    left, top, width, height = cv2.boundingRect(above)  # most of a film is never marked, and need not be searched
    if not width:
        return mask, ()
    count, components, statistics, centres = cv2.connectedComponentsWithStats(
        above[top : top + height, left : left + width], connectivity=8
    )
    pixel_area_mm2 = geometry.pixel_area_mm2
    regions = []
    for component in range(1, count):
        x, y, width, height, area = (int(value) for value in statistics[component])
        if area / mask.size < config.min_area_fraction:
            continue
        inside = components[y : y + height, x : x + width] == component
        x, y = left + x, top + y
        mask[y : y + height, x : x + width] |= inside
        regions.append(
            Region(
                laterality=geometry.laterality_at(left + float(centres[component][0])),
                bbox=(x, y, width, height),
                area_fraction=area / mask.size,
                area_mm2=None if pixel_area_mm2 is None else area * pixel_area_mm2,
                probability=float(probability_map[y : y + height, x : x + width][inside].mean()),
            )
        )
    return mask, tuple(sorted(regions, key=lambda region: region.area_fraction, reverse=True))
