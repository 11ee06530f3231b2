"""A picture that is no DICOM object to greys, as it lies and as a viewer shows it."""

import contextlib
import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

from app.segmentation.reading.file_header import FileHeader
from app.segmentation.reading.radiograph import Radiograph, blocks, full_scale, is_colourful, luma

GREY_MODES = ("1", "L", "LA", "I", "I;16")
SAMPLED_SIDE = 1024
"""Pixels a side by which a film's colours are told."""

DAMAGE = (
    *(ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, SyntaxError, TypeError, ValueError),
    *(struct.error, zlib.error),
)
"""What Pillow and the codecs raise on damaged files, found by mutating sound ones."""


def shown(data: bytes, source_format: str, header: FileHeader | None = None) -> Radiograph:
    """Have Pillow decode 8 bits a channel, or fewer: greys, or colours by their luma (ITU-R BT.601)."""
    picture = Image.open(io.BytesIO(data), formats=(source_format,))
    picture.load()
    _turn_upright(picture)
    width, height = picture.size
    step = max(1, min(picture.size) // SAMPLED_SIDE)
    sample = picture.resize((width // step, height // step), Image.Resampling.NEAREST)
    is_colour = picture.mode not in GREY_MODES and is_colourful(np.asarray(_on_black(sample).convert("RGB")))
    image = np.empty((height, width), dtype=np.float32)
    for rows in blocks(height):  # several copies of all its colours would fill the memory
        block = picture.crop((0, rows.start, width, min(rows.stop, height)))
        np.divide(np.asarray(_greys(block)), np.float32(255), out=image[rows])
    return Radiograph(image, source_format, 8, is_colour, header=header or FileHeader())


def _turn_upright(picture: Image.Image) -> None:
    """Turn a picture as its camera was held; leave it as it is where its EXIF data are damaged."""
    with contextlib.suppress(*DAMAGE):
        ImageOps.exif_transpose(picture, in_place=True)


def _on_black(picture: Image.Image) -> Image.Image:
    """Show what is transparent as a viewer does; colours that it hides mean nothing."""
    if not picture.has_transparency_data:
        return picture
    picture = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "black"), picture)


def _greys(picture: Image.Image) -> Image.Image:
    picture = _on_black(picture)
    if picture.mode == "CMYK":
        picture = picture.convert("RGB")
    return picture.convert("L")


def of_levels(
    levels: np.ndarray, precision: int, source_format: str, exif: bytes, header: FileHeader | None = None
) -> Radiograph:
    """Bring decoded levels to greys.

    Args:
        levels: Unsigned, (H, W) or (H, W, samples); a second or fourth sample is opacity. Hidden levels become black.
        precision: Bits that white has. Sixteen are said of a film of any depth: then the depth in use counts.
        source_format: Of the file.
        exif: Data that may say how the camera was held; empty if there are none.
        header: What else the file says.
    """
    levels = np.atleast_3d(levels)
    samples = levels.shape[-1]
    colours = levels[..., :3] if samples > 2 else levels[..., 0]
    if samples in (2, 4):
        colours[levels[..., -1] == 0] = 0
    top = full_scale(int(colours.max())) if precision == 16 else 2**precision - 1
    opaque = full_scale(int(levels[..., -1].max())) if samples in (2, 4) else 0
    image = np.empty(levels.shape[:2], dtype=np.float32)
    for rows in blocks(len(image)):  # several copies of all its colours would fill the memory
        block = np.ascontiguousarray(colours[rows])
        part = image[rows]
        np.minimum((luma(block) if block.ndim == 3 else block) / np.float32(top), 1, out=part)
        if opaque:  # shown on black, as in a viewer
            part *= levels[rows, :, -1] / np.float32(opaque)
    step = max(1, min(image.shape) // SAMPLED_SIDE)
    sample = (colours[::step, ::step] >> max(top.bit_length() - 8, 0)).astype(np.uint8)
    is_colour = sample.ndim == 3 and is_colourful(sample)
    turned = Image.fromarray(image)
    turned.info["exif"] = exif
    _turn_upright(turned)
    image = np.array(turned)
    return Radiograph(image, source_format, max(top.bit_length(), 8), is_colour, header=header or FileHeader())
