"""What fine-tuning on one's own films gives, by how many positive ones there are: simulated by films of one view.

A network that has seen no film of a view meets it as it would meet another site's. It goes on learning from some of
these films, and is measured on those of other patients.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from app.segmentation.checkpoint import load_checkpoint
from app.segmentation.network.preprocessing import PreprocessingConfig
from training.data.films import PreparedFilms
from training.data.folds import VALIDATED
from training.data.subset import write_subset
from training.data.tables import some
from training.errors import TrainingDataError
from training.evidence.paired import paired_figures
from training.learning.config import TrainingConfig
from training.learning.losses import SegmentationLoss
from training.learning.train import train
from training.learning.validation import ANSWERS_FILE, BATCH_SIZE, answer_films, summarise
from training.measuring.writing import markdown_table, with_interval

FIGURES = ("auroc_head", "auroc_map", "dice_pos")
SPLITS = ("train", "val")
"""Whose films are used; test stays shut."""


def elsewhere(data: Path, out: Path, view: str = "AP") -> None:
    """Write a prepared folder without a view's films, to train the network that will meet them as another site's.

    Args:
        data: Prepared folder.
        out: Folder to write, for `train --data`.
        view: "AP" or "PA".
    """
    films = PreparedFilms.open(data)
    _demand_view(films.table, view)
    other = (films.table["view"] != view).to_numpy()
    own_patients = films.table.loc[~other, "patient_id"]
    stranger = ~films.table["patient_id"].isin(own_patients).to_numpy()  # nor another film of a patient of theirs
    splits = {name: np.flatnonzero((films.table["split"] == name) & other & stranger) for name in SPLITS}
    write_subset(data, out, **splits)
    print(f"{out}: {', '.join(f'{len(rows)} films of {name}' for name, rows in splits.items())}, none {view}")


def own_films(
    data: Path,
    base: Path,
    out: Path,
    view: str = "AP",
    positives: tuple[int, ...] = (20, 50, 100, 200),
    steps: int = 300,
    batch_size: int = 12,
    image_size: int = 512,
    window: int = 256,
    learning_rate: float = 3e-4,
    workers: int = 1,
    resamples: int = 1000,
    seed: int = 0,
) -> None:
    """Measure what fine-tuning on own films gives: 20, 50, 100, 200 positives, with the gain's interval.

    Args:
        data: Prepared folder.
        base: Weights that have seen no film of the view; train them on what `elsewhere` writes.
        out: Folder to write: a run for each number, own_films.csv, .md and .svg. What is finished is not done again.
        view: Whose films are the site's.
        positives: How many positive films the site has, one training each.
        steps: Of each training.
        batch_size: Windows in a step.
        image_size: Side of the network input, in pixels.
        window: Side of the windows, in pixels; 0: whole films.
        learning_rate: Peak.
        workers: Loader processes.
        resamples: Bootstrap draws of patients.
        seed: Of which patients are drawn.
    """
    films = PreparedFilms.open(data)
    own, measured = choose_patients(films.table, view, max(positives), seed)
    tables = {"0": _answers_of(base, films, measured, image_size)}
    for count in positives:
        rows = until(films.table, own, count)
        folder, run = out / f"films-{count}", out / f"run-{count}"
        if not (run / ANSWERS_FILE).is_file():
            write_subset(data, folder, train=rows, val=measured)
            config = TrainingConfig(folder, run, start=str(base), image_size=image_size, epochs=1, seed=seed)
            config = replace(config, steps_per_epoch=steps, batch_size=batch_size, micro_batch=batch_size)
            config = replace(config, learning_rate=learning_rate, workers=workers, patient_exponent=0.5)
            train(replace(config, window=replace(config.window, size=window), ema_decay=0.99))
        tables[str(count)] = pd.read_csv(run / ANSWERS_FILE, dtype={"image_id": str, "patient_id": str})
    figures = paired_figures(tables, _figures, resamples)
    text = _text(figures, films.table.iloc[measured], view)
    out.mkdir(parents=True, exist_ok=True)
    figures.rename(columns={"name": "positives"}).to_csv(out / "own_films.csv", index=False, float_format="%.4f")
    (out / "own_films.md").write_text(text)
    _draw(figures).savefig(out / "own_films.svg")
    print(text)


def _demand_view(table: pd.DataFrame, view: str) -> None:
    if not (table["view"] == view).any():
        raise TrainingDataError(f"No film has the view {view!r}; there are {some(sorted(set(table['view']) - {''}))}.")


def choose_patients(table: pd.DataFrame, view: str, most: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Deal a view's films to the site's own and those to measure on, by patient.

    Films that a person has read count; patients are drawn until the site has as many positive films as are asked for.

    Returns:
        Row numbers of the site's own, in the order in which its patients were drawn; and of the films to measure on.

    Raises:
        TrainingDataError: If too few positive films would be left to measure on.
    """
    _demand_view(table, view)
    read = table["label_source"].str.startswith(VALIDATED) & table["split"].isin(SPLITS) & (table["view"] == view)
    rows = np.flatnonzero(read)
    films = table.iloc[rows].assign(row=rows)
    drawn = np.random.default_rng(seed).permutation(films["patient_id"].unique())
    order = films.set_index("patient_id").loc[drawn]
    positive = order["label"].groupby(level=0, sort=False).sum().cumsum()
    own = set(positive.index[: int((positive < most).sum()) + 1])
    is_own = order.index.isin(own)
    left = order[~is_own & (order["label_source"] == "expert_mask").to_numpy()]
    if films["label"].sum() < most or left["label"].sum() < 20 or (left["label"] == 0).sum() < 20:
        raise TrainingDataError(
            f"There are {films['label'].sum()} positive {view} films; with {most} for the site too few are left to "
            "measure on. Ask for fewer --positives."
        )
    return order[is_own]["row"].to_numpy(), np.sort(left["row"].to_numpy())


def until(table: pd.DataFrame, rows: np.ndarray, count: int) -> np.ndarray:
    """Take films in their order until so many are positive."""
    reached = np.flatnonzero(table["label"].to_numpy()[rows].cumsum() >= count)
    return np.sort(rows[: int(reached[0]) + 1])


def _answers_of(base: Path, films: PreparedFilms, rows: np.ndarray, image_size: int) -> pd.DataFrame:
    loss = SegmentationLoss(TrainingConfig(Path(), Path()).loss)
    model = load_checkpoint(base).model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    answers, _ = answer_films(model, films, PreprocessingConfig(image_size), loss, BATCH_SIZE, rows)
    return answers


def _figures(table: pd.DataFrame) -> dict[str, float]:
    figures = summarise(table, {})
    return {name: figures[name] for name in FIGURES}


def _text(figures: pd.DataFrame, measured: pd.DataFrame, view: str) -> str:
    rows = [
        [row["name"], row["figure"], with_interval(row["value"], row["low"], row["high"])]
        + [with_interval(row["difference"], row["difference_low"], row["difference_high"], signed=True)]
        for _, row in figures.iterrows()
    ]
    return (
        f"{len(measured)} {view} films of {measured['patient_id'].nunique()} other patients, "
        f"{int(measured['label'].sum())} positive.\n\n"
        + markdown_table(["own positives", "figure", "value (95 % interval)", "gain (95 % interval)"], rows)
    )


def _draw(figures: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(FIGURES)), FIGURES, strict=True):
        own = figures[figures["figure"] == name]
        value, low, high = own["difference"], own["difference_low"], own["difference_high"]
        errors = np.clip([value - low, high - value], 0, None)
        axes.errorbar(own["name"].astype(int), value, errors, fmt="o-", capsize=3)
        axes.axhline(0, color="k", linewidth=0.8)
        axes.set(xlabel="Own positive films", ylabel=f"Gain in {name}")
    return figure
