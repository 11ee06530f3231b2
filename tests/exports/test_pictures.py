"""The pictures and what their text chunks say."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from app.config import ROOT
from app.exports.pictures import LARGEST_SIDE, MARK, draw_overlay, mask_png, overlay_png
from app.segmentation.notice import NOTICE
from tests.support.film_files import to_dicom, to_png
from training.releasing.phantom.drawing import draw_phantom

PHANTOM = draw_phantom(2, 320)
IMAGE, MASK = PHANTOM.image[:280], PHANTOM.true_mask[:280]


def opened(png: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(png))
    picture.load()
    return picture


@pytest.mark.parametrize("make", [overlay_png, mask_png])
def test_a_picture_says_where_it_comes_from(make_exported, make):
    texts = opened(make(make_exported(to_png(IMAGE), MASK))).text
    assert texts["Disclaimer"] == NOTICE
    assert texts["Source"] == "tiny, SHA-256 0123456789ab"
    assert texts["Description"] == "Pneumothorax suspected. Marked by the model."


def test_the_mask_is_exact(make_exported):
    picture = opened(mask_png(make_exported(to_dicom(IMAGE), MASK)))
    np.testing.assert_array_equal(np.asarray(picture), MASK * np.uint8(255))


def test_the_reader_s_mask_is_taken_and_named(make_exported):
    picture = opened(mask_png(make_exported(to_dicom(IMAGE), MASK, corrected=~MASK)))
    np.testing.assert_array_equal(np.asarray(picture) > 0, ~MASK)
    assert "Marked by the reader" in picture.text["Description"]


def test_the_overlay_colours_what_is_marked_and_nothing_else(make_exported):
    exported = make_exported(to_png(IMAGE), MASK)
    picture = draw_overlay(exported).astype(int)
    assert picture.shape == (280, 320, 3)
    coloured = picture[..., 0] - picture[..., 2] > 10
    assert coloured[MASK].mean() > 0.99
    away = np.ones(MASK.shape, dtype=bool)
    rows, columns = np.nonzero(MASK)
    away[rows.min() - 3 : rows.max() + 4, columns.min() - 3 : columns.max() + 4] = False
    np.testing.assert_array_equal(picture[away], np.repeat(exported.film[away][:, np.newaxis], 3, axis=1))


def test_the_colour_is_the_page_s():
    colour = re.search(r"--mark: #(\w{6});", (ROOT / "static" / "pleura.css").read_text())[1]
    assert bytes(MARK).hex() == colour


def test_the_legend_lies_below_the_film(make_exported):
    exported = make_exported(to_png(IMAGE), MASK & False, "negative", 0.02)
    picture = np.asarray(opened(overlay_png(exported)))
    np.testing.assert_array_equal(picture[:280], np.repeat(exported.film[..., np.newaxis], 3, axis=2))
    legend = picture[280:]
    assert 40 < len(legend) < 140
    assert legend.max() > 200
    assert (legend[:, -5:] == legend[0, 0]).all()  # no line runs over the edge


def test_a_large_film_is_drawn_smaller_but_its_mask_is_not(make_exported):
    image = np.zeros((300, 3000), dtype=np.float32)
    image[:, ::2] = 1
    mask = np.zeros(image.shape, dtype=bool)
    mask[100:200, 1000:1500] = True
    exported = make_exported(to_png(image), mask)
    assert draw_overlay(exported).shape[1] == LARGEST_SIDE
    assert opened(mask_png(exported)).size == (3000, 300)
