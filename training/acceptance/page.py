"""A report on one page, and its plots one by one."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from app.segmentation.notice import NOTICE
from training.acceptance.figures import OF_ALL
from training.measuring.metrics import reliability
from training.measuring.writing import with_interval

A4 = (8.27, 11.69)
OF_GROUPS = ("auroc", "sensitivity", "specificity", "alerts_per_100")
MOST_GROUPS, MOST_LIMITS = 16, 8


def draw_page(described: dict, figures: pd.DataFrame, table: pd.DataFrame) -> Figure:
    """Draw the page that is printed and filed.

    Args:
        described: As acceptance.json has it.
        figures: From `figures.measure`, with the column "card".
        table: From `answers.answer_films`.
    """
    page = Figure(figsize=A4, layout="constrained")
    parts: Any = page.subfigures(4, 1, height_ratios=[1.5, 6.2, 2.6, 1.5])
    title, tables, plots, foot = parts
    lines = [
        f"{described['model']}  {described['sha256'][:12]}",
        f"{described['films']} films of {described['patients']} patients, {described['positive']} positive",
        f"Verdict: {described['verdict'] or 'no limits were set'}",
        *(f"{judged['verdict']}: {judged['limit']}" for judged in described["limits"][:MOST_LIMITS]),
    ]
    title.text(0.02, 0.95, "Acceptance report", fontsize=14, va="top", weight="bold")
    title.text(0.02, 0.72, "\n".join(lines), fontsize=8, va="top")
    above, below = tables.subplots(2, 1, gridspec_kw={"height_ratios": [14, 16]})
    of_all = figures[figures["group"] == OF_ALL]
    card = of_all["card"].map(lambda value: "" if pd.isna(value) else f"{value:.3f}")
    head = ["figure", "here (95 % interval)", f"card ({described['card']['split']})"]
    _table(above, head, [of_all["figure"], _texts(of_all), card])
    groups = [group for group in dict.fromkeys(figures["group"]) if group != OF_ALL][:MOST_GROUPS]
    own = [figures[figures["group"] == group].set_index("figure") for group in groups]
    counts = [f"{group.iloc[0]['films']} / {group.iloc[0]['positive']}" for group in own]
    columns = [[_text(group.loc[name]) for group in own] for name in OF_GROUPS]
    if groups:
        _table(below, ["group", "films / positive", *OF_GROUPS], [groups, counts, *columns])
    below.set_axis_off()
    for axes, draw in zip(plots.subplots(1, 3), (_roc, _calibration, _scores), strict=True):
        draw(axes, table)
    left_out = ", ".join(f"{code} {count}" for code, count in described["left_out"].items()) or "nothing"
    doubts = ", ".join(f"{code} {count}" for code, count in described["doubts"].items()) or "none"
    foot.text(0.02, 0.9, f"Left out or noted: {left_out}\nDoubts: {doubts}\n{NOTICE}", fontsize=7, va="top", wrap=True)
    return page


def draw_plots(table: pd.DataFrame) -> dict[str, Figure]:
    """Draw ROC, calibration and scores, each as a picture of its own, by name."""
    figures = {}
    for name, draw in {"roc": _roc, "calibration": _calibration, "scores": _scores}.items():
        figures[name] = Figure(figsize=(5, 4), layout="constrained")
        draw(figures[name].subplots(), table)
    return figures


def _roc(axes: Axes, table: pd.DataFrame) -> None:
    """One curve for all films, and one for each view that has both classes."""
    views = {OF_ALL: table, **{str(view): own for view, own in table.groupby("view") if view}}
    for name, own in views.items():
        if own["label"].nunique() == 2:
            false_alarms, found, _ = roc_curve(own["label"], own["probability"])
            axes.plot(false_alarms, found, label=f"{name} ({len(own)})")
    axes.plot([0, 1], [0, 1], "k--", linewidth=0.8)
    axes.set(xlabel="False alarms", ylabel="Sensitivity")
    axes.legend(fontsize=6)


def _calibration(axes: Axes, table: pd.DataFrame) -> None:
    predicted, observed, _ = reliability(table["label"].to_numpy(), table["probability"].to_numpy(), bins=10)
    axes.plot([0, 1], [0, 1], "k--", linewidth=0.8)
    axes.plot(predicted, observed, "o-")
    axes.set(xlabel="Predicted probability", ylabel="Share of positives")


def _scores(axes: Axes, table: pd.DataFrame) -> None:
    bins = np.linspace(0, 1, 21).tolist()
    for label, name in ((0, "negative"), (1, "positive")):
        axes.hist(table.loc[table["label"] == label, "probability"], bins, alpha=0.6, label=name, log=True)
    axes.set(xlabel="Probability", ylabel="Films")
    axes.legend(fontsize=6)


def _table(axes: Axes, head: list[str], columns: list) -> None:
    axes.set_axis_off()
    cells = [list(map(str, row)) for row in zip(*columns, strict=True)]
    drawn = axes.table(cells, colLabels=head, loc="upper center", cellLoc="left")
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(6.5)
    drawn.auto_set_column_width(list(range(len(head))))
    for cell in drawn.get_celld().values():
        cell.set_linewidth(0.3)


def _texts(figures: pd.DataFrame) -> list[str]:
    return [_text(row) for _, row in figures.iterrows()]


def _text(row: pd.Series) -> str:
    return "–" if pd.isna(row["value"]) else with_interval(row["value"], row["low"], row["high"])
