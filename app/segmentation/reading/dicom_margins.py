"""What of a DICOM image is no film: padding (PS3.3 C.7.5.1.1.2) and what a display shutter covers (PS3.3 C.7.6.11)."""

import math

import cv2
import numpy as np
from pydicom.dataset import Dataset

from app.segmentation.reading.dicom_depth import Levels
from app.segmentation.reading.dicom_values import complete_numbers, integer, texts


def padding_codes(levels: Levels, header: Dataset) -> np.ndarray:
    """Say of every code whether it is padding: bool (2 ** bits)."""
    of_codes = levels.of_codes
    value, limit = (_level(header, keyword, levels) for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit"))
    if value is None:
        return np.zeros(len(of_codes), bool)
    limit = value if limit is None else limit
    return (of_codes >= min(value, limit)) & (of_codes <= max(value, limit))


def hidden_pixels(words: np.ndarray | None, levels: Levels, header: Dataset) -> np.ndarray | None:
    """Find what shutters cover and what is padding by its words alone, bool (H, W); None if that is nothing.

    Args:
        words: Pixel data as stored, whose bits above the levels' depth may tell padding from white.
        levels: The levels in them.
        header: The header.
    """
    covered = _shuttered(levels.codes.shape, header)
    padded = None if words is None else _padding_words(words, levels, header)
    if covered is None or padded is None:
        return covered if padded is None else padded
    return covered | padded


def _padding_words(words: np.ndarray, levels: Levels, header: Dataset) -> np.ndarray | None:
    value = integer(header, "PixelPaddingValue")
    if value is None or words.itemsize != 2 or words.shape != levels.codes.shape:
        return None
    word = value & 0xFFFF
    if word < 2**levels.bits:
        return None
    found = words == word
    return found if found.any() else None


def _level(header: Dataset, keyword: str, levels: Levels) -> int | None:
    """A level, whichever sign its VR has; None if the film's depth does not hold it."""
    value = integer(header, keyword)
    if value is None:
        return None
    if levels.signed:
        value = (value & 0xFFFF) - 2**16 if value & 0x8000 else value
        half = 2 ** (levels.bits - 1)
        return value if -half <= value < half else None
    value &= 0xFFFF
    return value if value < 2**levels.bits else None


def _shuttered(shape: tuple[int, int], header: Dataset) -> np.ndarray | None:
    """Find what display shutters cover, bool (H, W); None where there is none, or one that leaves nothing.

    Rows and columns of a shutter count from 1.
    """
    shapes = {part.upper() for part in texts(header, "ShutterShape")}
    visible = np.ones(shape, np.uint8)
    for name, draw in (("RECTANGULAR", _rectangle), ("CIRCULAR", _circle), ("POLYGONAL", _polygon)):
        if name in shapes and (drawn := draw(shape, header)) is not None:
            visible &= drawn
    return visible == 0 if 0 < np.count_nonzero(visible) < visible.size else None


def _rectangle(shape: tuple[int, int], header: Dataset) -> np.ndarray | None:
    edges = ("UpperHorizontalEdge", "LowerHorizontalEdge", "LeftVerticalEdge", "RightVerticalEdge")
    bounds = [integer(header, f"Shutter{edge}") for edge in edges]
    known = [max(bound, 0) for bound in bounds if bound is not None]
    if len(known) < len(edges):
        return None
    top, bottom, left, right = known
    drawn = np.zeros(shape, np.uint8)
    drawn[max(top - 1, 0) : bottom, max(left - 1, 0) : right] = 1
    return drawn


def _circle(shape: tuple[int, int], header: Dataset) -> np.ndarray | None:
    center = complete_numbers(header, "CenterOfCircularShutter")
    radius = integer(header, "RadiusOfCircularShutter")
    if len(center) != 2 or not radius:
        return None
    row, column = (value - 1 for value in center)
    squares = radius**2 - (np.arange(shape[0]) - row) ** 2  # of half the chord in each row
    drawn = np.zeros(shape, np.uint8)
    for line in np.flatnonzero(squares >= 0):
        half = math.sqrt(squares[line])
        drawn[line, max(math.ceil(column - half), 0) : max(math.floor(column + half) + 1, 0)] = 1
    return drawn


def _polygon(shape: tuple[int, int], header: Dataset) -> np.ndarray | None:
    values = complete_numbers(header, "VerticesOfThePolygonalShutter")
    if len(values) < 6:
        return None
    corners = np.clip(np.array(values[: len(values) // 2 * 2]), 1, 2**15).reshape(-1, 2)[:, ::-1] - 1
    drawn = np.zeros(shape, np.uint8)
    cv2.fillPoly(drawn, [corners.astype(np.int32)], 1)
    return drawn
