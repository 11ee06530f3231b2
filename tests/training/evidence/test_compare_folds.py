"""Recipes are told apart by the films that their folds did not learn from."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from training.evidence.compare_folds import compare_folds, fold_figures, read_folds
from training.learning.train import train
from training.learning.validation import ANSWERS_FILE, DICE_PREFIX


def write_recipe(folder, quality: float, films: int = 120) -> None:
    """Answers of two folds; the better, the farther positives' scores lie from negatives' and the higher their Dice."""
    rng = np.random.default_rng(0)
    for fold in (1, 2):
        label = np.arange(films) % 3 == 0
        scores = label * quality + rng.normal(size=films) + 10 * fold
        table = pd.DataFrame(
            {
                "image_id": [f"{fold}-{index}" for index in range(films)],
                "patient_id": np.arange(films) // 2 + 1000 * fold,
            }
        )
        table = table.assign(label=label.astype(int), image_logit=scores, map_logit=scores)
        (folder / str(fold)).mkdir(parents=True)
        dice = {f"{DICE_PREFIX}0.1": 0.1, f"{DICE_PREFIX}0.5": 0.2 * quality}
        table.assign(**dice).to_csv(folder / str(fold) / ANSWERS_FILE, index=False)


def test_the_better_recipe_is_found_and_nothing_where_there_is_none(tmp_path, capsys):
    write_recipe(tmp_path / "base", 1.0)
    write_recipe(tmp_path / "same", 1.0)
    write_recipe(tmp_path / "better", 3.0)
    compare_folds([tmp_path / name for name in ("base", "same", "better")], tmp_path / "out.md", resamples=50)
    lines = {tuple(line.split(" | ")[:2]): line for line in (tmp_path / "out.md").read_text().splitlines()}
    assert "+0.000 (+0.000 to +0.000)" in lines["| same", "dice_pos"]
    assert "+0.400 (+0.400 to +0.400)" in lines["| better", "dice_pos"]
    low = float(lines["| better", "auroc_head"].split("(")[-1].split(" to ")[0])
    assert low > 0
    assert "240 films of 2 folds, 80 positive, 120 patients" in capsys.readouterr().out


def test_scores_of_two_folds_are_never_held_against_each_other(tmp_path):
    write_recipe(tmp_path / "base", 3.0)
    table = read_folds(tmp_path / "base")
    shifted = table.assign(image_logit=table["image_logit"] - 10 * table["fold"].astype(int))
    assert fold_figures(table)["auroc_head"] == pytest.approx(fold_figures(shifted)["auroc_head"])


def test_recipes_with_other_films_are_refused(tmp_path):
    write_recipe(tmp_path / "base", 1.0)
    write_recipe(tmp_path / "other", 1.0, films=60)
    with pytest.raises(ValueError, match="other was validated on other films"):
        compare_folds([tmp_path / "base", tmp_path / "other"])
    with pytest.raises(FileNotFoundError, match="--fold 1/5"):
        compare_folds([tmp_path])


def test_a_fold_is_trained_without_its_patients_and_answered(tmp_path, small_training):
    for number in (1, 2):
        train(replace(small_training, run=tmp_path / "recipe" / str(number), fold=f"{number}/2", epochs=1))
    answers = read_folds(tmp_path / "recipe")
    assert sorted(answers["image_id"]) == [f"film-{index:02d}" for index in range(12)], "the training split, each once"
    assert answers.groupby("fold")["label"].sum().tolist() == [3, 3]
    assert set(fold_figures(answers)) == {"auroc_head", "auroc_map", "dice_pos"}
