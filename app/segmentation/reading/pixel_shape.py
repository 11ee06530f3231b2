"""Pixels that are not square: a film is shown and judged in its true shape."""

import math
from dataclasses import replace

import cv2
from pydicom.dataset import Dataset

from app.segmentation.reading.dicom_values import complete_numbers
from app.segmentation.reading.radiograph import MAX_PIXELS, Radiograph

NEARLY_SQUARE = 0.01
MOST_OBLONG = 4.0
"""Taller or wider pixels than this are a slip of the header."""


def with_square_pixels(radiograph: Radiograph, header: Dataset) -> Radiograph:
    """Stretch a film to square pixels by its spacing, else by a calibrated one or Pixel Aspect Ratio (C.7.6.3.1.7).

    The coarser side is stretched, so that nothing is lost, unless that would make too many pixels.
    """
    spacing = radiograph.pixel_spacing_mm
    tall, wide = spacing or _aspect(header)
    ratio = tall / wide
    if abs(ratio - 1) < NEARLY_SQUARE or not 1 / MOST_OBLONG <= ratio <= MOST_OBLONG:
        return radiograph
    height, width = radiograph.image.shape
    side = min(tall, wide)
    if height * (tall / side) * width * (wide / side) > MAX_PIXELS:
        side = max(tall, wide)
    size = max(round(width * wide / side), 1), max(round(height * tall / side), 1)
    shrinks = side == max(tall, wide)
    image = cv2.resize(radiograph.image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return replace(radiograph, image=image, pixel_spacing_mm=(side, side) if spacing else None)


def _aspect(header: Dataset) -> tuple[float, float]:
    """Vertical and horizontal extent of a pixel, in any unit."""
    for keyword in ("PixelSpacing", "PixelAspectRatio"):
        match complete_numbers(header, keyword):
            case [tall, wide] if 0 < tall < math.inf and 0 < wide < math.inf:
                return tall, wide
    return 1.0, 1.0
