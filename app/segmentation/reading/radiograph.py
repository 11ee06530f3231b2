"""A decoded film, and how large one may be."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import cv2
import numpy as np

from app.segmentation.errors import TooManyPixelsError
from app.segmentation.reading.file_header import FileHeader
from app.segmentation.reading.geometry import FilmGeometry, Laterality
from app.segmentation.reading.orientation import CERTAIN, MIN_RESEMBLANCE, Orientation, orientation_of

MAX_PIXELS = 50_000_000
MAX_BYTES = 100 * 2**20
"""Of a file, deflated or not: two bytes for each of `MAX_PIXELS`, and room for a header."""
MIN_SIDE = 256
LONGEST_SIDE = 65_535
"""What DICOM and JPEG can say; a PNG of one column and millions of rows takes seconds."""
BLOCK_ROWS = 256
"""Rows that are worked on at once, so that memory does not grow with the film."""


@dataclass(frozen=True)
class Radiograph:
    """One decoded film.

    Attributes:
        image: float32 (H, W) in [0, 1], bone bright (MONOCHROME2).
        source_format: "DICOM", "PNG", "JPEG" or "WEBP".
        bits_stored: Depth of a stored grey level, 8 to 16.
        is_colour: Whether the file held colours that were not all grey.
        pixel_spacing_mm: (row, column) distance of pixel centres on the detector, or None if unknown.
        view_position: The view by DICOM's View Position (0018,5101), View Code Sequence or Patient Orientation: "PA",
            "LL", "LEFT LATERAL" …; "" if unknown. `view.is_frontal` reads it.
        body_part: The part by Body Part Examined (0018,0015) or Anatomic Region Sequence: "CHEST", "TORAX" …; "" if
            unknown. `body_part.shows_chest` reads it.
        modality: DICOM's Modality (0008,0060), as the standard spells it: "CR", "DX" …; a word that nobody
            knows as it is; "" if nothing is said.
        age_years: The patient's age, or None if unknown.
        has_burned_in_text: Whether DICOM's Burned In Annotation (0028,0301) says that text is part of the picture.
        is_for_processing: Whether the film was stored for a machine to process, not for anybody to look at.
        was_inverted: Whether the file showed bone dark, which `image` no longer does.
        image_left: The patient's side shown at the picture's left edge.
        states_side: Whether the file says which side that is; otherwise it is the usual one.
        header: What else the file says, as it says it: for exports, and for finding a patient's other films.
    """

    image: np.ndarray
    source_format: str
    bits_stored: int = 8
    is_colour: bool = False
    pixel_spacing_mm: tuple[float, float] | None = None
    view_position: str = ""
    body_part: str = ""
    modality: str = ""
    age_years: float | None = None
    has_burned_in_text: bool = False
    is_for_processing: bool = False
    was_inverted: bool = False
    image_left: Laterality = Laterality.RIGHT
    states_side: bool = False
    header: FileHeader = field(default_factory=FileHeader)

    @property
    def geometry(self) -> FilmGeometry:
        """Where its pixels lie, without what they show."""
        height, width = self.image.shape
        return FilmGeometry((height, width), self.pixel_spacing_mm, self.image_left)

    @cached_property
    def orientation(self) -> Orientation:
        """How `image` lies; looked at once, and anew in every film that is made of this one."""
        return orientation_of(self.image)


def with_bright_bone(radiograph: Radiograph) -> Radiograph:
    """Invert a film that certainly shows bone dark; leave every other alone."""
    lies = radiograph.orientation
    if lies.inverted < CERTAIN or lies.resemblance > -MIN_RESEMBLANCE:
        return radiograph
    return replace(radiograph, image=1 - radiograph.image, was_inverted=True)


def refuse_large(width: int, height: int) -> None:
    """Refuse a film by its announced size, before any pixel is decoded.

    Raises:
        TooManyPixelsError: If it has more than `MAX_PIXELS`, or more than `LONGEST_SIDE` a side.
    """
    if max(width, height) > LONGEST_SIDE:
        raise TooManyPixelsError(
            f"The film has {width} × {height} pixels; {LONGEST_SIDE:,} a side is the limit. Send a single film."
        )
    if width * height > MAX_PIXELS:
        raise TooManyPixelsError(
            f"The film has {width} × {height} pixels; {MAX_PIXELS // 1_000_000} megapixels is the limit. "
            "Export it at a lower resolution."
        )


def blocks(height: int) -> Iterator[slice]:
    """Divide rows into blocks."""
    return (slice(start, start + BLOCK_ROWS) for start in range(0, height, BLOCK_ROWS))


def full_scale(maximum: int) -> int:
    """The largest value of the narrowest depth, 8 to 16 bits, that holds `maximum`.

    A 16-bit file usually carries a 10 or 12 bit film and does not always say so.
    """
    return 2 ** min(max(maximum.bit_length(), 8), 16) - 1


def luma(rgb: np.ndarray) -> np.ndarray:
    """Reduce colours (H, W, 3), uint8 or float32, to greys (H, W) of the same type and range (ITU-R BT.601)."""
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)


def is_colourful(rgb: np.ndarray) -> bool:
    """Whether more than a thousandth of the pixels are visibly coloured.

    Args:
        rgb: uint8 (H, W, 3). Chroma noise of lossy compression stays below 16 levels.
    """
    return bool((spread_of(rgb) > 16).mean() > 1e-3)


def spread_of(rgb: np.ndarray) -> np.ndarray:
    """How far the largest of three channels (H, W, 3) lies above the smallest; OpenCV is ten times as fast at this."""
    red, green, blue = cv2.split(rgb)
    return cv2.subtract(cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue))
