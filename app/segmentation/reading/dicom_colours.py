"""Colours of a DICOM object to greys: screenshots, secondary captures, palettes (PS3.3 C.7.6.3.1.2)."""

import cv2
import numpy as np
from pydicom.dataset import Dataset

from app.segmentation.errors import InvalidImageError
from app.segmentation.reading.dicom_depth import Levels
from app.segmentation.reading.lookup_tables import read_palette
from app.segmentation.reading.radiograph import blocks, luma, spread_of

VISIBLE_SPREAD = 16 / 255
COLOURFUL_SHARE = 1e-3


def luma_levels(levels: Levels, photometric: str) -> tuple[Levels, bool]:
    """Reduce colours to their luma, and say whether they were any.

    Args:
        levels: Codes (H, W, 3), or (H, W, 2) where two pixels share their chroma.
        photometric: "RGB", or the name of a YBR.

    Returns:
        Codes (H, W) of the same depth, and whether more than a thousandth of the pixels are visibly coloured.
    """
    height, width = levels.codes.shape[:2]
    greys = np.empty((height, width), levels.codes.dtype)
    coloured = 0
    for rows in blocks(height):
        samples = np.ascontiguousarray(levels.codes[rows])
        if photometric.startswith("YBR"):
            greys[rows], spread = _of_ybr(samples, levels.bits, photometric.startswith("YBR_PARTIAL"))
        else:
            greys[rows] = luma(samples)
            spread = spread_of(samples)
        coloured += int(np.count_nonzero(spread > VISIBLE_SPREAD * (2**levels.bits - 1)))
    return Levels(greys, levels.bits, False), coloured > COLOURFUL_SHARE * height * width


def _of_ybr(samples: np.ndarray, bits: int, is_partial: bool) -> tuple[np.ndarray, np.ndarray]:
    """Luma, and how far the colours' channels spread; a partial range is stretched to the whole."""
    top = 2**bits - 1
    if samples.shape[-1] == 2:
        pairs = samples.reshape(len(samples), -1, 4)
        chroma = np.repeat(pairs[..., 2:], 2, axis=1)
        samples = np.dstack([pairs[..., :2].reshape(len(samples), -1), chroma])
    greys = samples[..., 0].copy()
    if is_partial:
        stretched = (greys.astype(np.float32) / top * 255 - 16) / 219
        greys = np.round(np.clip(stretched, 0, 1) * top).astype(samples.dtype)
    eight = samples if bits == 8 else (samples >> (bits - 8)).astype(np.uint8)
    colours = cv2.cvtColor(np.ascontiguousarray(eight[..., [0, 2, 1]]), cv2.COLOR_YCrCb2RGB)
    return greys, spread_of(colours) * np.float32(top / 255)


def palette_greys(levels: Levels, header: Dataset) -> tuple[np.ndarray, bool]:
    """Look indices up in a palette: float32 (H, W) in [0, 1], and whether they show colours.

    Raises:
        InvalidImageError: If there is no usable palette.
    """
    of_codes = levels.of_codes
    palette = read_palette(header, (int(of_codes.min()), int(of_codes.max())))
    if palette is None:
        raise InvalidImageError("The film's palette is missing or damaged; export the film as grey.")
    tables, top = palette
    colours = np.stack([table(of_codes) for table in tables], axis=-1).astype(np.float32) / top
    greys = luma(np.clip(colours[None], 0, 1))[0]
    is_coloured = np.ptp(colours, axis=-1) > VISIBLE_SPREAD
    image = np.empty(levels.codes.shape, np.float32)
    coloured = 0
    for rows in blocks(len(image)):
        np.take(greys, levels.codes[rows], out=image[rows], mode="clip")
        coloured += int(np.count_nonzero(is_coloured[levels.codes[rows]]))
    return image, coloured > COLOURFUL_SHARE * image.size
