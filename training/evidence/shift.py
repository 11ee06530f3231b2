"""How well a released model does on films that come another way: projection, archive, exposure, position.

Every change is made to films that were stored alike, so that it stands alone; a film from another hospital differs in
all of them at once, and in its patient. What is measured here can warn, but it replaces no external test.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from app.segmentation.predictor import Predictor
from training.data.films import PreparedFilms
from training.evidence.changes import CHANGES
from training.evidence.film_answers import ALL_CHANGES, UNCHANGED, kept_answers
from training.evidence.paired import paired_figures
from training.evidence.report import group_figures
from training.measuring.metrics import bootstrap_intervals
from training.measuring.writing import markdown_table, with_interval

VIEWS = ("PA", "AP")
COLUMNS = ["auroc", "dice_pos", "sensitivity", "specificity"]


def shift(weights: Path, data: Path, out: Path, split: str = "val", resamples: int = 1000) -> None:
    """Measure a released model by projection, and on films that were changed: a table and a plot.

    Args:
        weights: Released checkpoint.
        data: Prepared folder.
        out: Folder to write: shift.csv, shift.md, shift.svg, and `answers/`, from which an interrupted measurement
            goes on.
        split: "val" or "test".
        resamples: Bootstrap draws of patients, for the intervals.
    """
    predictor, films = Predictor.load(weights), PreparedFilms.open(data)
    out.mkdir(parents=True, exist_ok=True)
    tables = {change: kept_answers(predictor, films, split, out / "answers", change) for change in ALL_CHANGES}
    by_change = paired_figures(tables, group_figures, resamples)
    figures = pd.concat([by_view(tables[UNCHANGED], resamples), by_change], ignore_index=True)
    figures.to_csv(out / "shift.csv", index=False, float_format="%.4f")
    unchanged = tables[UNCHANGED]
    title = f"{predictor.metadata.name}, {split}: {len(unchanged)} films, {unchanged['label'].sum()} positive"
    (out / "shift.md").write_text(describe(figures, title))
    draw_shift(figures, title).savefig(out / "shift.svg")
    print((out / "shift.md").read_text())


def by_view(table: pd.DataFrame, resamples: int = 1000) -> pd.DataFrame:
    """Figures of each projection; they are of other films, and so have no difference."""
    rows = []
    for view in VIEWS:
        group = table[table["view"] == view]
        if group["label"].nunique() < 2:
            continue
        intervals = bootstrap_intervals(group, group_figures, resamples=resamples)
        for figure, value in group_figures(group).items():
            low, high = intervals[figure]
            rows.append({"name": f"{view} films", "figure": figure, "value": value, "low": low, "high": high})
    return pd.DataFrame(rows)


def describe(figures: pd.DataFrame, title: str) -> str:
    """Write the table for reading."""
    lines = []
    for name, own in figures.groupby("name", sort=False):
        cells = own.set_index("figure")
        changes = [
            with_interval(*cells.loc[figure, ["difference", "difference_low", "difference_high"]], signed=True)
            if name in CHANGES
            else ""
            for figure in COLUMNS[:2]
        ]
        values = [with_interval(*cells.loc[figure, ["value", "low", "high"]]) for figure in COLUMNS]
        lines.append([name, values[0], changes[0], values[1], changes[1], *values[2:]])
    header = ["films", "auroc", "change", "dice_pos", "change", "sensitivity", "specificity"]
    return (
        f"# Domain shift: {title}\n\n{markdown_table(header, lines)}\n"
        "95 % intervals, from bootstrap resamples of patients; a change is to the unchanged films, on the same\n"
        "resamples. Sensitivity and specificity are forced decisions at the operating point.\n"
    )


def draw_shift(figures: pd.DataFrame, title: str) -> Figure:
    """Draw AUROC and mean Dice of the positives, one line of the picture a kind of film."""
    names = figures["name"].unique()
    figure = Figure(figsize=(9, 0.32 * len(names) + 1.4), layout="constrained")
    places = np.arange(len(names))[::-1]
    columns = {"auroc": "AUROC", "dice_pos": "Mean Dice of positives"}
    for axes, (column, label) in zip(figure.subplots(1, 2, sharey=True), columns.items(), strict=True):
        own = figures[figures["figure"] == column].set_index("name").loc[names]
        errors = [own["value"] - own["low"], own["high"] - own["value"]]
        axes.errorbar(own["value"], places, xerr=np.clip(errors, 0, None), fmt="o", capsize=3)
        axes.axvline(own.loc[UNCHANGED, "value"], color="grey", linewidth=0.8, linestyle="--")
        axes.set(xlabel=f"{label} (95 % interval)", yticks=places, yticklabels=names)
        axes.grid(axis="x", alpha=0.3)
    figure.suptitle(title, fontsize=10)
    return figure
