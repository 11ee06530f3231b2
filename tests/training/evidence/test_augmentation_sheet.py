"""The contact sheet shows what training does, and leaves training alone."""

import numpy as np
import torch

from tests.support.phantom import draw_phantom, to_png
from training.__main__ import main
from training.data.augmentation import augment, build_augmentation
from training.evidence.augmentation_sheet import draw_sheet, each_alone

FILM = draw_phantom(0, 256).image


def test_every_step_is_shown_and_certain():
    steps = dict(each_alone(build_augmentation(256)))
    assert len(steps) == len(build_augmentation(256).transforms) == 8
    flipped, _ = augment(FILM, np.zeros(FILM.shape, dtype=bool), steps["RandomHorizontalFlip, on 50%"])
    np.testing.assert_array_equal(flipped, FILM[:, ::-1])
    for name, step in steps.items():
        changed, _ = augment(FILM, np.zeros(FILM.shape, dtype=bool), step)
        assert not np.array_equal(changed, FILM), name


def test_a_sheet_repeats_and_draws_nothing_from_training():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    figures = [draw_sheet(FILM, 3, seed) for seed in (1, 1, 2)]
    sheets = [[axes.images[0].get_array() for axes in figure.axes if axes.images] for figure in figures]
    assert torch.equal(torch.get_rng_state(), before)
    assert [len(sheet) for sheet in sheets] == [1 + 8 + 3] * 3
    np.testing.assert_array_equal(sheets[0][0], FILM)
    np.testing.assert_array_equal(sheets[0][-1], sheets[1][-1])
    assert not np.array_equal(sheets[0][-1], sheets[2][-1])


def test_the_command_writes_a_picture(tmp_path):
    film, out = tmp_path / "film.png", tmp_path / "pictures" / "sheet.png"
    film.write_bytes(to_png(FILM))
    main(["augmentations", "--film", str(film), "--out", str(out), "--image_size", "64", "--draws", "2"])
    assert out.read_bytes().startswith(b"\x89PNG")
