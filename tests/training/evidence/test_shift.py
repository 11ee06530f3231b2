"""Films are changed together with their masks, and what a model loses by it is measured on the same patients."""

import numpy as np
import pandas as pd
import pytest

from app.segmentation.predictor import Predictor
from training.__main__ import main
from training.evidence import film_answers as answers_module
from training.evidence.changes import CHANGES, through_monochrome1
from training.evidence.film_answers import ALL_CHANGES, UNCHANGED, answer_changed
from training.evidence.paired import paired_figures
from training.evidence.shift import by_view
from training.releasing.phantom.drawing import draw_phantom

PHANTOM = draw_phantom(3, 256)
FILM = np.rint(PHANTOM.image * 255).astype(np.float32) / 255
DISC = (np.hypot(*(np.indices((256, 256)) - [[[60]], [[170]]])) < 20).astype(bool)
EXACT = ("rotated by +10°", "rotated by -10°", "90 % crop")


@pytest.mark.parametrize("name", CHANGES)
def test_a_mask_lies_where_its_film_went(name):
    """A white disc on black is its own mask, whatever is done to it."""
    image, mask = CHANGES[name](DISC.astype(np.float32), DISC)
    assert image.dtype == np.float32 and image.shape == mask.shape and 0 <= image.min() and image.max() <= 1
    bright = image < 0.5 if name == "inverted, not corrected" else image >= 0.5
    assert 2 * (bright & mask).sum() / (bright.sum() + mask.sum()) > 0.97
    if name in EXACT:
        assert not np.array_equal(mask, DISC)


def test_an_inverted_film_is_read_as_it_was():
    np.testing.assert_allclose(through_monochrome1(FILM), FILM, atol=1e-6)


def test_a_turn_is_counter_clockwise():
    _, mask = CHANGES["rotated by +10°"](FILM, DISC)
    row, column = (places.mean() for places in np.nonzero(mask))
    angle = [np.degrees(np.arctan2(127.5 - y, x - 127.5)) for y, x in ((60, 170), (row, column))]
    assert angle[1] - angle[0] == pytest.approx(10, abs=0.5)


def test_differences_are_of_the_same_draws():
    rng = np.random.default_rng(0)
    base = pd.DataFrame({"patient_id": np.arange(60) // 2, "label": np.arange(60) % 2, "score": rng.normal(size=60)})
    better = base.assign(score=base["score"] + 0.25)
    figures = paired_figures({"base": base, "better": better}, lambda table: {"mean": table["score"].mean()}, 200)
    own = figures.set_index("name")
    assert own.loc["base", ["difference", "difference_low", "difference_high"]].tolist() == [0, 0, 0]
    assert own.loc["better", ["difference", "difference_low", "difference_high"]].tolist() == pytest.approx([0.25] * 3)
    assert own.loc["better", "high"] - own.loc["better", "low"] > 0.2, "the figure itself is uncertain all the same"


def test_shift_writes_a_table_and_goes_on_where_it_stopped(checkpoint_path, prepared_folder, tmp_path, monkeypatch):
    asked = []

    def answered(predictor, films, split, change):
        if change == "90 % crop" and change not in asked:
            asked.append(change)
            raise KeyboardInterrupt
        asked.append(change)
        return answer_changed(predictor, films, split, change)

    monkeypatch.setattr(answers_module, "answer_changed", answered)
    arguments = ["shift", "--weights", str(checkpoint_path), "--data", str(prepared_folder), "--out", str(tmp_path)]
    arguments += ["--resamples", "50"]
    with pytest.raises(SystemExit, match="130"):
        main(arguments)
    main(arguments)
    assert sorted(asked) == sorted([*ALL_CHANGES, "90 % crop"]), "what was answered was not asked again"

    table = pd.read_csv(tmp_path / "shift.csv")
    assert set(table["name"]) == set(ALL_CHANGES), "the synthetic films name no projection"
    aurocs = table[table["figure"] == "auroc"].set_index("name")
    assert aurocs.loc[UNCHANGED, "difference"] == 0
    assert aurocs.loc["inverted, corrected", "difference"] == 0
    text = (tmp_path / "shift.md").read_text()
    assert f"{aurocs.loc[UNCHANGED, 'value']:.3f}" in text and "8 films, 4 positive" in text
    assert (tmp_path / "shift.svg").is_file()


def test_projections_are_told_apart(checkpoint_path, films):
    answers = answer_changed(Predictor.load(checkpoint_path), films, "val", UNCHANGED)
    views = answers.assign(view=["PA"] * 4 + ["AP"] * 4, probability=[0.1, 0.9, 0.2, 0.8, 0.9, 0.1, 0.8, 0.2])
    views["label"] = [0, 1, 0, 1] * 2
    figures = by_view(views, resamples=20)
    aurocs = figures[figures["figure"] == "auroc"].set_index("name")["value"]
    assert aurocs.to_dict() == {"PA films": 1.0, "AP films": 0.0}
