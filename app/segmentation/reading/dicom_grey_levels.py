"""Levels of a DICOM object to what a screen shows: modality LUT, VOI LUT or window, inversion."""

from collections.abc import Callable

import cv2
import numpy as np
from pydicom.dataset import Dataset

from app.segmentation.errors import InvalidImageError
from app.segmentation.reading.dicom_depth import Levels
from app.segmentation.reading.dicom_values import code, numbers, text
from app.segmentation.reading.lookup_tables import Table, read_table
from app.segmentation.reading.radiograph import blocks, full_scale
from app.segmentation.reading.windows import read_windows

FLUOROSCOPY = ("1.2.840.10008.5.1.4.1.1.12.1", "1.2.840.10008.5.1.4.1.1.12.2", "1.2.840.10008.5.1.4.1.1.12.3")
"""XA, XRF and biplane XA: their modality LUT brings levels back to X-ray intensity and is none for a screen."""


def grey_levels(
    levels: Levels, padding: np.ndarray, hidden: np.ndarray | None, is_negative: bool, header: Dataset
) -> np.ndarray:
    """Apply the grey scale pipeline (PS3.4 N.2.1) to every possible level once, then look the pixels up.

    Args:
        levels: Levels, codes (H, W).
        padding: Which codes are padding, bool (2 ** bits).
        hidden: Which pixels are no film, bool (H, W), if any.
        is_negative: Whether the smallest level is white: MONOCHROME1.
        header: The header.

    Returns:
        float32 (H, W) in [0, 1], bone bright; what is no film is black.

    Raises:
        InvalidImageError: If rescale or window leave nothing to see.
    """
    used = _used(levels, padding, hidden)
    padding = padding & ~used
    table = _shown(levels, used, header).astype(np.float32)
    if is_negative or code(header, "PresentationLUTShape") == "INVERSE":
        table = 1 - table  # once, where both say so: the DX module demands INVERSE of MONOCHROME1 (PS3.3 C.8.11.3)
    table[padding] = 0
    image = np.empty(levels.codes.shape, np.float32)
    for rows in blocks(len(image)):
        np.take(table, levels.codes[rows], out=image[rows], mode="clip")
    if hidden is not None:
        image[hidden] = 0
    return image


def _used(levels: Levels, padding: np.ndarray, hidden: np.ndarray | None) -> np.ndarray:
    """Which codes the film has, bool (2 ** bits), without padding and what is hidden; with them if nothing is left."""
    film = _occurring(levels, None if hidden is None else ~hidden) & ~padding
    return film if film.any() else _occurring(levels, None)


def _occurring(levels: Levels, where: np.ndarray | None) -> np.ndarray:
    """Which codes there are, bool (2 ** bits), among all pixels or where a mask, bool (H, W), says."""
    count = 2**levels.bits
    mask = None if where is None else where.view(np.uint8)
    return cv2.calcHist([levels.codes], [0], mask, [count], [0, count]).ravel() > 0  # six times as quick as indexing


def _shown(levels: Levels, used: np.ndarray, header: Dataset) -> np.ndarray:
    """The grey, in [0, 1], of every code: by the first VOI LUT or window that shows anything, else by the range in use.

    Without one, black and white are the ends of the range in use, or those that a modality LUT names.
    """
    of_codes = levels.of_codes
    values, table = _modality(levels, header)
    if not np.isfinite(values).all():
        raise InvalidImageError("Rescale slope and window are not numbers; export the film with another window.")
    transforms = _voi(header, (float(values.min()), float(values.max())))
    for transform in transforms:
        shown = transform(values)
        if np.isfinite(shown).all() and (np.ptp(shown[used]) > 0 or np.ptp(of_codes[used]) == 0):
            return shown
    if table is None:
        lowest, highest = _levels_in_use(of_codes[used])
        ends = values[(of_codes >= lowest) & (of_codes <= highest)]
        black, white = ends.min(), ends.max()
    else:
        black, white = 0, table.top
    if transforms or white == black:
        raise InvalidImageError("Rescale slope and window show every pixel alike; export the film with another window.")
    return np.clip((values - black) / (white - black), 0, 1)


def _levels_in_use(levels: np.ndarray) -> tuple[int, int]:
    """The range of the narrowest depth that holds a film; the header often names a wider one."""
    minimum, maximum = int(levels.min()), int(levels.max())
    if minimum >= 0:
        return 0, full_scale(maximum)
    bits = max(8, maximum.bit_length() + 1, (-minimum - 1).bit_length() + 1)
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def _modality(levels: Levels, header: Dataset) -> tuple[np.ndarray, Table | None]:
    """Every code's value after modality LUT or rescale, float64, and the table if it was one (PS3.3 C.11.1)."""
    of_codes = levels.of_codes
    if text(header, "SOPClassUID") not in FLUOROSCOPY:
        for item in header.get("ModalityLUTSequence") or ():
            table = read_table(item, (int(of_codes.min()), int(of_codes.max())))
            if table is not None:
                return table(of_codes).astype(np.float64), table
    slope, intercept = (
        _rescale(header, keyword, default) for keyword, default in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0))
    )
    return of_codes * slope + intercept, None


def _rescale(header: Dataset, keyword: str, default: float) -> float:
    """A number of the rescale; its default if it is empty or missing."""
    if not text(header, keyword):
        return default
    value = next(iter(numbers(header, keyword)), None)
    if value is None:
        raise InvalidImageError(f"{keyword} is “{text(header, keyword)}”, which is no number; export the film again.")
    return value


def _voi(header: Dataset, inputs: tuple[float, float]) -> list[Callable[[np.ndarray], np.ndarray]]:
    """VOI LUTs and windows in the order of preference: whole tables, windows, tables that lack entries."""
    readable = (read_table(item, inputs) for item in header.get("VOILUTSequence") or ())
    tables = [table for table in readable if table is not None]
    whole = [table for table in tables if table.is_whole]
    cut = [table for table in tables if not table.is_whole]
    windows = read_windows(header)
    return [*map(_scaled, whole), *windows, *map(_scaled, cut)]


def _scaled(table: Table) -> Callable[[np.ndarray], np.ndarray]:
    return lambda values: np.clip(table(values) / table.top, 0, 1)
