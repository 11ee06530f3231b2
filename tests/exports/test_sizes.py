"""No mask that is accepted makes an export much larger than the film itself makes it."""

import numpy as np
import pytest

from app.exports.catalogue import exports_of
from app.exports.exported_study import ExportedStudy
from app.studies.drawing import contour_path, mask_png
from app.studies.masks import LONGEST_OUTLINE, read_mask
from tests.support.film_files import to_png
from training.releasing.phantom.drawing import draw_phantom

SIDE = 512
ROOM = 2**18
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


def sizes(exported: ExportedStudy) -> dict[str, int]:
    return {export.file: len(export.make(exported, False)) for export in exports_of(exported.study)}


@pytest.mark.parametrize("kind", ["dots", "comb", "holes"])
def test_the_worst_mask_adds_little(make_exported, film, kind):
    nothing = np.zeros((SIDE, SIDE), bool)
    without = sizes(make_exported(film, nothing, corrected=nothing))
    with_mask = sizes(make_exported(film, nothing, corrected=worst(kind)))
    assert {"answer.json", "capture.dcm", "overlay.png", "report.pdf", "segmentation.dcm"} <= set(with_mask)
    assert {file: size for file, size in with_mask.items() if size > without.get(file, 0) + ROOM} == {}


@pytest.mark.parametrize("kind", ["dots", "comb", "holes"])
def test_the_worst_outline_is_drawn_in_few_bytes(kind):
    assert len(contour_path(worst(kind))) < 1.1e6
