"""No mask that is accepted makes an export much larger than the film itself makes it."""

import numpy as np
import pytest

from app.exports.catalogue import exports_of
from app.exports.reading import Reading
from app.studies.drawing import contour_path, mask_png
from app.studies.masks import LONGEST_OUTLINE, read_mask
from tests.support.phantom import draw_phantom, to_png

SIDE = 512
ROOM = 1.5 * 2**20
"""Bytes that the worst mask may add."""


def worst(kind: str) -> np.ndarray:
    """As many dots, or as long an outline, as are accepted."""
    mask = np.zeros((SIDE, SIDE), bool)
    if kind == "dots":
        places = np.linspace(1, SIDE - 2, 22).astype(int)
        mask[np.ix_(places, places)] = True
    else:
        part = mask[:, : int(LONGEST_OUTLINE / SIDE / (1 if kind == "comb" else 2.1))]
        if kind == "comb":
            part[::2], part[:, 0] = True, True
        else:
            part[:] = True
            part[1::2, 1::2] = False
    return read_mask(mask_png(mask), mask.shape)


@pytest.fixture(scope="module")
def film() -> bytes:
    return to_png(draw_phantom(1, SIDE).image)


def sizes(reading: Reading) -> dict[str, int]:
    exports = {export.file: len(export.make(reading, False)) for export in exports_of(reading.study)}
    return exports | {"page": len(contour_path(reading.mask))}


@pytest.mark.parametrize("kind", ["dots", "comb", "holes"])
def test_the_worst_mask_adds_little(make_reading, film, kind):
    nothing = np.zeros((SIDE, SIDE), bool)
    without = sizes(make_reading(film, nothing, corrected=nothing))
    with_mask = sizes(make_reading(film, nothing, corrected=worst(kind)))
    assert {"capture.dcm", "overlay.png", "report.pdf", "segmentation.dcm", "page"} <= set(with_mask)
    assert {file: size for file, size in with_mask.items() if size > without.get(file, 0) + ROOM} == {}
    assert set(without) <= set(with_mask)
