"""Pictures and tables of how well a released model does, for whom, and when it should abstain.

No film and no mask is written, only counts and curves.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import PrecisionRecallDisplay, RocCurveDisplay

from app.segmentation.predictor import Predictor
from training.data.films import PreparedFilms, names_pneumothorax
from training.measuring.ages import by_age
from training.measuring.figures import Answers, figures_of
from training.measuring.metrics import bootstrap_intervals, reliability
from training.measuring.writing import write_json
from training.releasing.evaluate import describe_split, predict_split

GROUP_RESAMPLES = 500
"""Draws of patients behind an interval of a group: there are many groups."""
SIZE_BINS = (0.0, 0.0025, 0.005, 0.01, 0.02, 0.05, 1.0)
"""Edges of the groups by true mask area, as shares of the film."""


def report(weights: Path, data: Path, out: Path, split: str = "val") -> None:
    """Write metrics.json, groups.csv and the plots of one split.

    Args:
        weights: Released checkpoint.
        data: Prepared folder.
        out: Folder to write.
        split: "val" or "test".
    """
    predictor = Predictor.load(weights)
    films = PreparedFilms.open(data)
    table = predict_split(predictor, films, split)
    out.mkdir(parents=True, exist_ok=True)
    described = {"model": predictor.metadata.name, "sha256": predictor.sha256, "split": split, **describe_split(table)}
    write_json(described, out / "metrics.json")
    describe_groups(table).to_csv(out / "groups.csv", index=False, float_format="%.4f")
    title = f"{predictor.metadata.name}, {split}: {len(table)} films, {table['label'].sum()} positive"
    for name, figure in draw_figures(table, films.images.shape[1] ** 2).items():
        figure.axes[0].set_title(title, fontsize=10)
        figure.savefig(out / f"{name}.svg")


def groups(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Split films by what may make them harder: view, age, sex, and a misleading report text."""
    yield "all", table
    for view in ("PA", "AP"):
        yield f"view {view}", table[table["view"] == view]
    yield from by_age(table)
    for sex in ("F", "M"):
        yield f"sex {sex}", table[table["sex"] == sex]
    told = names_pneumothorax(table)
    yield "report text names a pneumothorax, expert mask empty", table[told & (table["label"] == 0)]
    yield "report text names none, expert mask not empty", table[~told & (table["label"] == 1)]


def group_figures(table: pd.DataFrame) -> dict[str, float]:
    """Figures that make sense in a small group; NaN where a class is missing."""
    return figures_of(table, ("auroc", "sensitivity", "specificity", "dice_pos"))


def describe_groups(table: pd.DataFrame) -> pd.DataFrame:
    """One row a group and figure: counts, value and 95 % interval over patients."""
    rows = []
    for name, group in groups(table):
        if group.empty:
            continue
        intervals = bootstrap_intervals(group, group_figures, resamples=GROUP_RESAMPLES)
        for figure, value in group_figures(group).items():
            if not np.isnan(value):
                low, high = intervals[figure]
                counts = {"films": len(group), "positive": int(group["label"].sum())}
                rows.append({"group": name, **counts, "figure": figure, "value": value, "low": low, "high": high})
    return pd.DataFrame(rows)


def draw_figures(table: pd.DataFrame, film_area: int) -> dict[str, Figure]:
    """Draw ROC, precision–recall, reliability, risk–coverage and Dice by mask size.

    Args:
        table: From `predict_split`.
        film_area: Pixels of a film, to turn mask pixels into shares.
    """
    label, probability = table["label"].to_numpy(), table["probability"].to_numpy()
    figures = {name: Figure(figsize=(5, 4), layout="constrained") for name in ("roc", "precision_recall")}
    RocCurveDisplay.from_predictions(label, probability, ax=figures["roc"].subplots(), plot_chance_level=True)
    PrecisionRecallDisplay.from_predictions(
        label, probability, ax=figures["precision_recall"].subplots(), plot_chance_level=True
    )
    figures["reliability"] = _reliability(label, probability)
    figures["risk_coverage"] = _risk_coverage(table)
    figures["dice_by_size"] = _dice_by_size(table[table["label"] == 1], film_area)
    return figures


def _reliability(label: np.ndarray, probability: np.ndarray) -> Figure:
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    predicted, observed, _ = reliability(label, probability)
    axes.plot([0, 1], [0, 1], "k--", linewidth=0.8)
    axes.plot(predicted, observed, "o-")
    axes.set(xlabel="Predicted probability (bins of equal mass)", ylabel="Observed share of pneumothorax")
    return figure


def _risk_coverage(table: pd.DataFrame) -> Figure:
    """Error rate among the films answered, when the least certain are left unanswered first."""
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    correct = table["called"] == table["label"]
    agreed = np.where(table["called"] == 1, table["probability"], 1 - table["probability"])
    errors = np.cumsum(~correct.to_numpy()[np.argsort(-agreed, kind="stable")])
    answered = np.arange(1, len(table) + 1)
    axes.plot(answered / len(table), errors / answered)
    axes.set(xlabel="Share of films answered", ylabel="Error rate among them")
    return figure


def _dice_by_size(positives: pd.DataFrame, film_area: int) -> Figure:
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    dice = Answers(positives).dice
    group = np.digitize(positives["true"] / film_area, SIZE_BINS[1:-1])
    names = [f"{100 * low:g}–{100 * high:g} %" for low, high in zip(SIZE_BINS, SIZE_BINS[1:], strict=False)]
    present = [index for index in range(len(names)) if (group == index).any()]
    axes.boxplot([dice[group == index] for index in present])
    axes.set_xticks(range(1, len(present) + 1), [f"{names[index]}\nn={(group == index).sum()}" for index in present])
    axes.tick_params(axis="x", labelsize=7)
    axes.set(xlabel="True mask area, share of the film", ylabel="Dice score")
    return figure
