"""The contact sheet shows what training does."""

import numpy as np

from tests.support.film_files import to_png
from training.__main__ import main
from training.data.windows import WindowConfig
from training.evidence.augmentation_sheet import WHOLE, draw_sheet, each_alone
from training.releasing.phantom.drawing import draw_phantom

FILM = draw_phantom(0, 256).image


def test_every_step_is_shown_and_certain():
    steps = dict(each_alone(WHOLE.of_film(256)))
    assert len(steps) == 7 and "gamma, on 60%" in steps
    for name, step in steps.items():
        changed = step(FILM, np.random.default_rng(0))
        assert changed.shape == FILM.shape, name
        assert not np.array_equal(changed, FILM), name


def test_a_sheet_repeats_and_shows_windows_as_they_are_cut():
    figures = [draw_sheet(FILM, 3, seed, WindowConfig(96)) for seed in (1, 1, 2)]
    sheets = [[axes.images[0].get_array() for axes in figure.axes if axes.images] for figure in figures]
    assert [len(sheet) for sheet in sheets] == [1 + 7 + 3] * 3
    np.testing.assert_array_equal(sheets[0][0], FILM)
    np.testing.assert_array_equal(sheets[0][-1], sheets[1][-1])
    assert sheets[0][-1].shape == (96, 96)
    assert not np.array_equal(sheets[0][-1], sheets[2][-1])


def test_the_command_writes_a_picture(tmp_path):
    film, out = tmp_path / "film.png", tmp_path / "pictures" / "sheet.png"
    film.write_bytes(to_png(FILM))
    main(["augmentations", "--film", str(film), "--out", str(out), "--image_size", "64", "--draws", "2"])
    assert out.read_bytes().startswith(b"\x89PNG")
