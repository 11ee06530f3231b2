"""The course of trainings, drawn from their CSV logs alone, as often as wanted.

What a run logs of an epoch's training films is measured on the way: augmented films, at the run's share of positives,
by weights that change with every step, dropout included. Its validation films are whole, at the share of positives
they have, and answered by the averaged weights. So the gap between the two lines is not the overfitting alone, and
precision, accuracy and loss have different levels by construction; read how the lines move.
"""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from training.errors import UserError

METRICS = {
    "auroc": ("ROC-AUC of the image head", "auroc_head"),
    "precision": ("Precision of the image head at ½", "precision"),
    "accuracy": ("Accuracy of the image head at ½", "accuracy"),
    "dice": ("Mean Dice of positive films", "dice_pos_at_half"),
    "loss": ("Loss", "loss"),
}
"""By plot: what is drawn, and the column of the log after "train_epoch/" and "val/"."""
BEST_DICE = "val/dice_pos"
"""Dice at the best threshold of each epoch, by which epochs are chosen; drawn beside the one at one half."""


def curves(runs: list[Path], out: Path) -> None:
    """Draw training and validation ROC-AUC, precision, Dice, accuracy and loss of runs, epoch by epoch.

    Args:
        runs: Folders of training runs, finished or not.
        out: Folder to write: curves.csv, and one picture a figure.
    """
    logs = {run.name: read_log(run) for run in runs}
    if len(logs) < len(runs):
        raise UserError(f"Two runs have the same name: {', '.join(run.name for run in runs)}; rename a folder.")
    out.mkdir(parents=True, exist_ok=True)
    pd.concat(logs, names=["run", "epoch"]).to_csv(out / "curves.csv", float_format="%.5f")
    for name in METRICS:
        draw_curves(logs, name).savefig(out / f"{name}.svg")
    for name, log in logs.items():
        best = log.loc[log["chosen"]]
        print(f"{name}: {len(log)} epochs, the weights kept are those of epoch {best.index[0]}")


def read_log(run: Path) -> pd.DataFrame:
    """Read what a run logged at the end of each epoch.

    Args:
        run: Folder of the run. An interrupted run has a log for each of its parts.

    Returns:
        One row an epoch, counted from 1, with the columns "train_epoch/…" and "val/…" that the log has, and
        "chosen", which is true in the row of the weights that were kept.

    Raises:
        FileNotFoundError: If no epoch was finished.
    """
    parts = sorted((run / "csv").glob("version_*/metrics.csv"), key=lambda path: int(path.parent.name.split("_")[1]))
    log = pd.concat([pd.read_csv(path) for path in parts]) if parts else pd.DataFrame()
    if "val/selection" not in log:
        raise FileNotFoundError(f"{run} holds no log of a finished epoch; is it the folder of a training run?")
    ends = log[log["val/selection"].notna()]["step"].unique()
    columns = [name for name in log if name.startswith(("train_epoch/", "val/"))]
    epochs = log[log["step"].isin(ends)].groupby("step")[columns].last()  # an epoch that was done twice counts once
    epochs.index = pd.RangeIndex(1, len(epochs) + 1, name="epoch")
    best = epochs["val/selection"].iloc[::-1].idxmax()  # of equals, `train` keeps the last
    return epochs.assign(chosen=epochs.index == best)


def draw_curves(logs: dict[str, pd.DataFrame], metric: str) -> Figure:
    """Draw one figure of several runs: validation solid, training dashed, the chosen epoch marked.

    Args:
        logs: From `read_log`, by name of the run.
        metric: Key of `METRICS`.
    """
    title, column = METRICS[metric]
    figure = Figure(figsize=(8.6, 4.4), layout="constrained")
    axes = figure.subplots()
    for index, (name, log) in enumerate(logs.items()):
        colour = f"C{index}"
        lines = [(f"val/{column}", "-", "validation"), (f"train_epoch/{column}", "--", "training")]
        if metric == "dice":
            lines.append((BEST_DICE, ":", "validation, best threshold"))
        for key, style, label in lines:
            if key in log:  # logs of older versions lack some
                axes.plot(log.index, log[key], style, color=colour, marker=".", label=f"{name}, {label}")
        chosen = log.index[log["chosen"]][0]
        key = BEST_DICE if metric == "dice" else f"val/{column}"
        if key in log:
            axes.plot(chosen, log[key][chosen], "o", color=colour, fillstyle="none", markersize=11)
    axes.set(xlabel="Epoch (ring: weights that were kept)", ylabel=title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    if axes.lines:
        figure.legend(loc="outside right upper", fontsize=8)
    return figure
