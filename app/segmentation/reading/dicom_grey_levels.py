"""Stored levels of a DICOM object to what a screen shows: modality LUT, VOI LUT or window, inversion."""

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi, apply_windowing

from app.segmentation.errors import InvalidImageError
from app.segmentation.reading.radiograph import full_scale, is_colourful, luma

FAR_OUTSIDE = 1e9
"""A level beyond every window."""


def grey_levels(stored: np.ndarray, dataset: Dataset) -> np.ndarray:
    """Apply the grey scale pipeline (PS3.4 N.2.1) to every possible level once, then look the pixels up.

    Args:
        stored: Stored levels, integers (H, W).
        dataset: The header: MONOCHROME1 or MONOCHROME2.

    Returns:
        float32 (H, W) in [0, 1], bone bright.

    Raises:
        InvalidImageError: If rescale or window leave nothing to see.
    """
    bits, signed = int(dataset.BitsStored), int(dataset.PixelRepresentation)
    stored = np.clip(stored, -(2 ** (bits - 1)) if signed else 0, 2 ** (bits - signed) - 1)  # lossy codecs overshoot
    lowest, highest = _levels_in_use(int(stored.min()), int(stored.max()))
    shown, black, white = _windowed(apply_modality_lut(np.arange(lowest, highest + 1), dataset), dataset)
    if white == black:
        raise InvalidImageError("Rescale slope and window show every pixel alike; export the film with another window.")
    table = np.clip((shown - black) / (white - black), 0, 1).astype(np.float32)
    if not np.isfinite(table).all():
        raise InvalidImageError("Rescale slope and window are not numbers; export the film with another window.")
    if dataset.PhotometricInterpretation == "MONOCHROME1" or dataset.get("PresentationLUTShape") == "INVERSE":
        table = 1 - table  # once, where both say so: the DX module demands INVERSE of MONOCHROME1 (PS3.3 C.8.11.3)
    return table[stored.astype(np.int32) - lowest if lowest else stored]


def _levels_in_use(minimum: int, maximum: int) -> tuple[int, int]:
    """The range of the narrowest depth that holds a film; the header often names a wider one."""
    if minimum >= 0:
        return 0, full_scale(maximum)
    bits = max(8, maximum.bit_length() + 1, (-minimum - 1).bit_length() + 1)
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def _windowed(values: np.ndarray, dataset: Dataset) -> tuple[np.ndarray, float, float]:
    """Apply the first VOI LUT or window, and name its output for black and for white.

    Without one, black and white are the ends of the range in use. A window that PS3.3 C.11.2.1.2
    forbids (empty, or of no width) is left out, as viewers do.

    Args:
        values: Every level in use, after the modality LUT.
    """
    if dataset.get("VOILUTSequence"):
        shown = apply_voi(np.round(values).astype(np.int32), dataset)
        return shown, 0, full_scale(int(shown.max()))
    if "WindowWidth" in dataset:
        try:
            with np.errstate(over="ignore"):  # a sigmoid's far ends
                *shown, black, white = apply_windowing(np.append(values, [-FAR_OUTSIDE, FAR_OUTSIDE]), dataset)
            return np.array(shown), black, white
        except (LookupError, TypeError, ValueError):
            pass
    if dataset.get("ModalityLUTSequence"):
        return values, 0, full_scale(int(values.max()))
    return values, values.min(), values.max()


def grey_of_colours(stored: np.ndarray, dataset: Dataset) -> tuple[np.ndarray, bool]:
    """Reduce a screenshot or secondary capture to its luma, and say whether it was really coloured.

    Args:
        stored: RGB levels (H, W, 3), or indices (H, W) of a PALETTE COLOR object.
        dataset: The header.

    Returns:
        float32 (H, W) in [0, 1], and whether it held colours that were not all grey.
    """
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        colours = apply_color_lut(stored, dataset)
        top = np.iinfo(colours.dtype).max
    else:
        colours, top = stored, 2**dataset.BitsStored - 1
    if colours.dtype == np.uint8 and top == 255:  # nearly all: three floats a pixel would be four times the memory
        return luma(colours) / np.float32(255), is_colourful(colours)
    colours = np.clip(colours / np.float32(top), 0, 1)
    return luma(colours), is_colourful((255 * colours).astype(np.uint8))
