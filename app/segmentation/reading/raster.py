"""A PNG, JPEG or WebP to a `Radiograph`."""

import io
import struct
import warnings

import numpy as np
from PIL import Image, ImageOps

from app.segmentation.errors import MultiFrameError, TooManyPixelsError, TruncatedImageError
from app.segmentation.reading.file_header import FileHeader
from app.segmentation.reading.radiograph import MAX_PIXELS, Radiograph, full_scale, is_colourful, refuse_large

FORMATS = ("PNG", "JPEG", "WEBP")
GREY_MODES = ("1", "L", "LA", "I", "I;16")

LOSSY_METHODS = {"JPEG": "ISO_10918_1", "MPO": "ISO_10918_1", "WEBP": "RFC_9649"}
"""By Pillow's name of a format; DICOM has no term of its own for WebP."""

DAMAGE = (ArithmeticError, AttributeError, LookupError, OSError, SyntaxError, TypeError, ValueError, struct.error)
"""What Pillow raises on damaged files, found by mutating sound ones."""

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # refuse_large decides


def looks_like_raster(data: bytes) -> bool:
    """Whether to read a file as one of `FORMATS`, by its magic number."""
    return data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")) or (data[:4], data[8:12]) == (b"RIFF", b"WEBP")


def read_raster(data: bytes) -> Radiograph:
    """Decode a picture.

    Args:
        data: The whole file, of which `looks_like_raster` holds.

    Raises:
        TruncatedImageError: If it is damaged.
        MultiFrameError: If it moves.
        TooManyPixelsError: If it has too many; checked before decoding.
    """
    try:
        source = Image.open(io.BytesIO(data), formats=FORMATS)
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
    return Radiograph(image, source_format, bits_stored, is_colour, header=_losses(source, data))


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


def _losses(source: Image.Image, data: bytes) -> FileHeader:
    """Say in DICOM's terms how a picture was compressed with loss, which every copy must say (PS3.3 C.7.6.1.1.5)."""
    method = LOSSY_METHODS.get(source.format)
    if method is None or (source.format == "WEBP" and _is_lossless_webp(data)):
        return FileHeader()
    ratio = source.width * source.height * len(source.getbands()) / len(data)
    return FileHeader(
        {
            "LossyImageCompression": "01",
            "LossyImageCompressionRatio": f"{ratio:.2f}",
            "LossyImageCompressionMethod": method,
        }
    )


def _is_lossless_webp(picture: bytes) -> bool:
    """Find the first chunk with a picture in it, behind those that only describe it (RFC 9649, 2.3)."""
    start = 12
    while start < len(picture) and picture[start : start + 4] not in (b"VP8 ", b"VP8L"):
        size = int.from_bytes(picture[start + 4 : start + 8], "little")
        start += 8 + size + size % 2
    return picture[start : start + 4] == b"VP8L"
