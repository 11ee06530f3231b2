"""Outlines of what is marked: of dust only the largest."""

import numpy as np

from app.exports.outlines import outlines_of


def test_of_dust_only_the_largest_are_outlined():
    mask = np.zeros((600, 600), bool)
    mask[::3, ::3] = True
    mask[297:323, 297:333] = False
    mask[300:320, 300:330] = True
    outlines, count = outlines_of(mask, 3)
    assert count == 200 * 200 - 9 * 12 + 1
    assert [outline.pixels for outline in outlines] == [600, 1, 1]
    assert outlines[0].points.min(axis=0).tolist() == [300.25, 300.25]


def test_an_empty_mask_has_none():
    assert outlines_of(np.zeros((8, 8), bool), 3) == ([], 0)
