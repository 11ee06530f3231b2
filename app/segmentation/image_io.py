"""Bytes of a file to a `Radiograph`: read the film right, or say why not."""

import io
import warnings
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from app.segmentation.errors import (
    FileTooLargeError,
    ImageTooSmallError,
    MultiFrameError,
    TooManyPixelsError,
    TruncatedImageError,
    UnsupportedFormatError,
)

MAX_BYTES = 32 * 2**20
MAX_PIXELS = 50_000_000
MIN_SIDE = 256
RASTER_FORMATS = ("PNG", "JPEG", "WEBP")


class Laterality(StrEnum):
    """A side of the patient, not of the picture."""

    RIGHT = "right"
    LEFT = "left"


@dataclass(frozen=True)
class Radiograph:
    """One decoded film.

    Attributes:
        image: float32 (H, W) in [0, 1], bone bright (MONOCHROME2).
        source_format: "DICOM", "PNG", "JPEG" or "WEBP".
        bits_stored: Depth of a stored grey level, 8 to 16.
        is_colour: Whether the file held colours that were not all grey.
        pixel_spacing_mm: (row, column) distance of pixel centres on the detector, or None if unknown.
        view_position: DICOM's View Position (0018,5101): "PA", "AP", "LL" …; "" if unknown.
        image_left: The patient's side shown at the picture's left edge.
    """

    image: np.ndarray
    source_format: str
    bits_stored: int = 8
    is_colour: bool = False
    pixel_spacing_mm: tuple[float, float] | None = None
    view_position: str = ""
    image_left: Laterality = Laterality.RIGHT

    def laterality_at(self, x: float) -> Laterality:
        """Return the patient's side at a column of the picture."""
        on_left_half = x < self.image.shape[1] / 2
        other = Laterality.LEFT if self.image_left is Laterality.RIGHT else Laterality.RIGHT
        return self.image_left if on_left_half else other


def read_radiograph(data: bytes) -> Radiograph:
    """Decode a film.

    Args:
        data: The whole file: DICOM, PNG, JPEG or WebP.

    Returns:
        The film, bone bright.

    Raises:
        UnsupportedFormatError: If it is not one of these formats.
        InvalidImageError: If it is, but cannot be used; the subclass says why.
        ImageTooLargeError: If it has too many bytes or pixels; checked before decoding.
    """
    if len(data) > MAX_BYTES:
        raise FileTooLargeError(
            f"The file has {len(data) / 2**20:.1f} MiB; {MAX_BYTES // 2**20} MiB is the limit. Send a single film."
        )
    return _read_raster(data)


def check_size(width: int, height: int) -> None:
    """Refuse a film by its announced size, before any pixel is decoded."""
    if width * height > MAX_PIXELS:
        raise TooManyPixelsError(
            f"The film has {width} × {height} pixels; {MAX_PIXELS // 1_000_000} megapixels is the limit."
        )
    if min(width, height) < MIN_SIDE:
        raise ImageTooSmallError(
            f"The film has {width} × {height} pixels; a pleural line needs at least {MIN_SIDE} a side."
        )


def _read_raster(data: bytes) -> Radiograph:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # check_size decides
            source = Image.open(io.BytesIO(data), formats=RASTER_FORMATS)
    except UnidentifiedImageError as error:
        raise UnsupportedFormatError("This is not a DICOM, PNG, JPEG or WebP file.") from error
    if getattr(source, "n_frames", 1) > 1:
        raise MultiFrameError(f"The file holds {source.n_frames} frames; send a single film.")
    check_size(*source.size)
    try:
        upright = ImageOps.exif_transpose(source)
    except (OSError, SyntaxError, ValueError) as error:
        raise TruncatedImageError("The image ends early or is damaged; export it again.") from error
    return Radiograph(_grey_levels(upright), source.format)


def _grey_levels(picture: Image.Image) -> np.ndarray:
    """Greyscale in [0, 1]; colour by its luma (ITU-R BT.601), more than 8 bits by the depth in use."""
    if picture.mode.startswith("I"):
        stored = np.asarray(picture, dtype=np.float32)
        return stored / full_scale(int(stored.max()))
    return np.asarray(picture.convert("L"), dtype=np.float32) / 255


def full_scale(maximum: int) -> int:
    """The largest value of the narrowest depth, 8 to 16 bits, that holds `maximum`.

    A 16-bit PNG usually carries a 10 or 12 bit film and does not say so.
    """
    return 2 ** min(max(maximum.bit_length(), 8), 16) - 1
