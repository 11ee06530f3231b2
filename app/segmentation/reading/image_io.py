"""Bytes of a file to a `Radiograph`: read the film right, or say why not."""

import io
import struct
import warnings

import numpy as np
from PIL import Image, ImageOps

from app.segmentation.errors import (
    EmptyFileError,
    FileTooLargeError,
    ImageTooSmallError,
    MultiFrameError,
    TooManyPixelsError,
    TruncatedImageError,
    UnsupportedFormatError,
)
from app.segmentation.reading.dicom_io import looks_like_dicom, read_dicom
from app.segmentation.reading.orientation import with_bright_bone
from app.segmentation.reading.radiograph import MAX_PIXELS, MIN_SIDE, Radiograph, full_scale, is_colourful, refuse_large

MAX_BYTES = 32 * 2**20
RASTER_FORMATS = ("PNG", "JPEG", "WEBP")
GREY_MODES = ("1", "L", "LA", "I", "I;16")

DAMAGE = (ArithmeticError, AttributeError, LookupError, OSError, SyntaxError, TypeError, ValueError, struct.error)
"""What Pillow raises on damaged files, found by mutating sound ones."""

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # refuse_large decides


def read_radiograph(data: bytes) -> Radiograph:
    """Decode a film.

    Args:
        data: The whole file: DICOM, PNG, JPEG or WebP.

    Returns:
        The film, bone bright; inverted where it certainly was not.

    Raises:
        UnsupportedFormatError: If it is not one of these formats.
        InvalidImageError: If it is, but cannot be used; the subclass says why.
        ImageTooLargeError: If it has too many bytes or pixels; checked before decoding.
    """
    if not data:
        raise EmptyFileError("The file has no bytes; was it exported completely?")
    if len(data) > MAX_BYTES:
        raise FileTooLargeError(
            f"The file has {len(data) / 2**20:.1f} MiB; {MAX_BYTES // 2**20} MiB is the limit. Send a single film."
        )
    radiograph = _decoded(data)
    height, width = radiograph.image.shape
    if min(height, width) < MIN_SIDE:
        small = ImageTooSmallError(
            f"The film has {width} × {height} pixels; a pleural line needs at least {MIN_SIDE} a side. "
            "Export it at its full resolution."
        )
        small.picture = radiograph.image
        raise small
    return with_bright_bone(radiograph)


def _decoded(data: bytes) -> Radiograph:
    if looks_like_dicom(data):
        return read_dicom(data)
    if data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")) or (data[:4], data[8:12]) == (b"RIFF", b"WEBP"):
        return _read_raster(data)
    raise UnsupportedFormatError("This is not a DICOM, PNG, JPEG or WebP file. Export the film as one of these.")


def _read_raster(data: bytes) -> Radiograph:
    try:
        source = Image.open(io.BytesIO(data), formats=RASTER_FORMATS)
        frames = 1 if source.format == "MPO" else getattr(source, "n_frames", 1)  # a telephone's photo has extras
        refuse_large(*source.size)
        picture = ImageOps.exif_transpose(source)
        is_colour = picture.mode not in GREY_MODES and is_colourful(np.asarray(picture.convert("RGB")))
        image, bits_stored = _grey_levels(picture)
    except Image.DecompressionBombError as error:
        raise TooManyPixelsError(
            f"The film has more than {MAX_PIXELS // 1_000_000} megapixels. Export it at a lower resolution."
        ) from error
    except DAMAGE as error:
        raise TruncatedImageError("The image ends early or is damaged; export it again.") from error
    if frames > 1:
        several = MultiFrameError(f"The file holds {frames} frames; send a single film.")
        several.picture = image
        raise several
    source_format = "JPEG" if source.format == "MPO" else source.format
    return Radiograph(image, source_format, bits_stored, is_colour)


def _grey_levels(picture: Image.Image) -> tuple[np.ndarray, int]:
    """Greys in [0, 1] and their depth: more than 8 bits by the depth in use, colours by their luma (ITU-R BT.601)."""
    if picture.mode.startswith("I"):
        stored = np.asarray(picture, dtype=np.float32)
        top = full_scale(int(stored.max()))
        return stored / top, top.bit_length()
    if picture.has_transparency_data:  # shown on black, as in a viewer
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "black"), picture)
    if picture.mode == "CMYK":
        picture = picture.convert("RGB")
    return np.asarray(picture.convert("L"), dtype=np.float32) / 255, 8
