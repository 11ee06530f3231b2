"""Which recipe is better, by the films that its folds did not learn from: hundreds of positives, not val's few."""

from pathlib import Path

import numpy as np
import pandas as pd

from training.errors import UserError
from training.evidence.paired import paired_figures
from training.learning.validation import ANSWERS_FILE, DICE_PREFIX
from training.measuring.metrics import auroc
from training.measuring.writing import markdown_table, with_interval


def compare_folds(recipes: list[Path], out: Path | None = None, resamples: int = 1000) -> None:
    """Compare recipes that were trained on the same folds, with paired intervals from resampling patients.

    Args:
        recipes: Folders of one recipe each, the first is the reference; each holds a run for each fold, trained with
            `--fold`, of the same names in all.
        out: Markdown file to write, besides printing it.
        resamples: Bootstrap draws of patients.
    """
    tables = {recipe.name: read_folds(recipe) for recipe in recipes}
    first = next(iter(tables.values()))
    for name, table in tables.items():
        if not table[["fold", "image_id"]].equals(first[["fold", "image_id"]]):
            raise UserError(
                f"{name} was validated on other films than {recipes[0].name}; train both on the same folds."
            )
    figures = paired_figures(tables, fold_figures, resamples)
    rows = [
        [row["name"], row["figure"], with_interval(row["value"], row["low"], row["high"])]
        + [with_interval(row["difference"], row["difference_low"], row["difference_high"], signed=True)]
        for _, row in figures.iterrows()
    ]
    text = (
        f"{len(first)} films of {first['fold'].nunique()} folds, {first['label'].sum()} positive, "
        f"{first['patient_id'].nunique()} patients; differences are to {recipes[0].name}.\n\n"
        + markdown_table(["recipe", "figure", "value", "difference"], rows)
    )
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text)
    print(text)


def read_folds(recipe: Path) -> pd.DataFrame:
    """Join what the folds of a recipe answered at their last epochs.

    Raises:
        FileNotFoundError: If no run of the folder was finished.
    """
    runs = sorted(path.parent for path in recipe.glob(f"*/{ANSWERS_FILE}"))
    if not runs:
        raise FileNotFoundError(
            f"{recipe} holds no run with {ANSWERS_FILE}; train its folds with --fold 1/5 and so on."
        )
    text = {"image_id": str, "patient_id": str}
    answers = {run.name: pd.read_csv(run / ANSWERS_FILE, dtype=text) for run in runs}
    return pd.concat(answers, names=["fold", None]).reset_index(level="fold").reset_index(drop=True)


def fold_figures(table: pd.DataFrame) -> dict[str, float]:
    """Measure a recipe: AUROC within each fold, whose network has a scale of its own; Dice at one threshold for all."""
    scores = {"auroc_head": "image_logit", "auroc_map": "map_logit"}
    folds = [fold for _, fold in table.groupby("fold") if fold["label"].nunique() == 2]
    positive = table[table["label"] == 1]
    return {
        **{
            name: float(np.mean([auroc(fold["label"], fold[score]) for fold in folds]))
            for name, score in scores.items()
        },
        "dice_pos": float(positive.filter(like=DICE_PREFIX).mean().max()),
    }
