"""Outlines of what is marked, as the spatial coordinates of a structured report (PS3.3 C.18.6)."""

from dataclasses import dataclass

import cv2
import numpy as np

TOLERANCE = 0.4
"""Pixels by which an outline may leave the mask's edge, so that it needs fewer points."""

MAX_POINTS = 4000
"""A value of VR FL holds 65,534 bytes in explicit VR: 8,191 points."""

FINER = 2
"""Outlines are found on pixels this much finer: then they run along the edges of the mask's own, not their centres."""


@dataclass(frozen=True)
class Outline:
    """The outer border of one connected region.

    Attributes:
        points: float32 (N, 2), (column, row) from the outer corner of the film's first pixel, whose centre is
            (0.5, 0.5); the last is the first again, so that a viewer closes it.
        pixels: How many pixels the region has; holes are none of them.
    """

    points: np.ndarray
    pixels: int


def outlines_of(mask: np.ndarray, most: int) -> tuple[list[Outline], int]:
    """Outline the largest connected regions of a mask.

    Args:
        mask: bool (H, W).
        most: How many to outline; a mask may have tens of thousands.

    Returns:
        The outlines, the largest region first, and how many regions the mask has.
    """
    _, components, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    by_size = 1 + np.argsort(-boxes[1:, cv2.CC_STAT_AREA], kind="stable")  # the first is the background
    found = []
    for number in by_size[:most]:
        left, top, width, height, pixels = boxes[number]
        part = components[top : top + height, left : left + width] == number
        fine = part.repeat(FINER, axis=0).repeat(FINER, axis=1).astype(np.uint8)
        (border, *_), _ = cv2.findContours(fine, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        found.append(Outline((_simplified(border) + 0.5) / FINER + np.array([left, top], np.float32), int(pixels)))
    return found, len(by_size)


def _simplified(border: np.ndarray) -> np.ndarray:
    """Leave out points that lie on a line within the tolerance, or within more if there are too many; close it."""
    tolerance = TOLERANCE * FINER
    while len(points := cv2.approxPolyDP(border, tolerance, closed=True)) > MAX_POINTS:
        tolerance *= 2
    if len(points) < 3:
        points = border  # a tiny region
    return np.concatenate([points, points[:1]]).reshape(-1, 2).astype(np.float32)
