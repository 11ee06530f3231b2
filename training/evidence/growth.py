"""How heat maps change while a network learns: Grad-CAM at every epoch whose weights a run kept."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from app.segmentation.checkpoint import load_checkpoint
from app.segmentation.decision.calibration import Calibration
from app.segmentation.network.attribution import trace_activations
from app.segmentation.network.preprocessing import preprocess
from app.segmentation.network.torch_engine import TorchEngine
from training.data.films import PreparedFilms
from training.evidence.film_answers import key_of
from training.evidence.heat_maps import PROBABILITY_MAP, score_positives, summarise_scores
from training.evidence.panels import draw_growth
from training.learning.train import EPOCHS_FOLDER

HEAD = Calibration(1.0, 0.0, 0.0)
"""The score of checkpoints that training left behind, which have no calibration: the image head's logit."""
SHOWN_EPOCHS = 8
"""Columns of the picture, at most."""


def kept_epochs(run: Path) -> dict[int, Path]:
    """Find the weights that a run kept of its epochs.

    Raises:
        FileNotFoundError: If it kept none.
    """
    epochs = {int(path.stem): path for path in sorted((run / EPOCHS_FOLDER).glob("*.safetensors"))}
    if not epochs:
        raise FileNotFoundError(f"{run} holds no weights of its epochs; train with --keep_epochs true.")
    return epochs


def follow_epochs(
    epochs: dict[int, Path],
    films: PreparedFilms,
    split: str,
    positives: np.ndarray,
    patients: np.ndarray,
    shown: dict[str, int],
    out: Path,
    resamples: int,
) -> None:
    """Score and draw Grad-CAM at every epoch of a run, of the image head's logit.

    Args:
        epochs: From `kept_epochs`.
        films: Prepared films.
        split: Where they are from.
        positives: Rows of the films to score.
        patients: Their patients.
        shown: Rows of the films to draw, by name.
        out: Folder to write.
        resamples: Bootstrap draws of patients.
    """
    tables: dict[int, pd.DataFrame] = {}
    maps: dict[str, dict] = {name: {} for name in shown}
    every = -(-len(epochs) // SHOWN_EPOCHS)
    for epoch, path in epochs.items():
        checkpoint = load_checkpoint(path)
        preprocessing = checkpoint.metadata.preprocessing
        engine = TorchEngine(checkpoint.model, checkpoint.metadata.mirror_size)
        kept = out / f"epoch-{epoch:03d}-{key_of(checkpoint, films, split)}.csv"
        scores = score_positives(engine, HEAD, preprocessing, films, positives, kept)
        tables[epoch] = summarise_scores(scores[scores["film"] < len(positives)], patients, resamples)
        if (max(epochs) - epoch) % every == 0:
            for name, row in shown.items():
                batch = preprocess(films.image(row), preprocessing)
                maps[name][epoch] = trace_activations(engine, HEAD, batch).stages[-1]
    growth = pd.concat(tables, names=["epoch", None]).reset_index(level="epoch")
    growth.to_csv(out / "growth.csv", index=False, float_format="%.4f")
    draw_scores(growth).savefig(out / "growth.svg")
    if shown:
        drawn = [(name.replace("_", " "), films.image(row), films.true_mask(row)) for name, row in shown.items()]
        stage = checkpoint.metadata.model.encoder_depth
        draw_growth(drawn, list(maps.values()), stage).savefig(out / "growth.png", dpi=110)


def draw_scores(growth: pd.DataFrame) -> Figure:
    """Draw hits and energy of every map from epoch to epoch."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    titles = {"hit": "Pointing game: hits", "energy": "Energy inside the expert's mask"}
    for axes, (name, title) in zip(figure.subplots(1, 2), titles.items(), strict=True):
        for method, own in growth[growth["figure"] == name].groupby("name", sort=False):
            axes.plot(own["epoch"], own["value"], "k--" if method == PROBABILITY_MAP else ".-", label=method)
        axes.set(xlabel="Epoch", ylabel=title, ylim=(0, None))
        axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
    figure.supxlabel("A heat map is not a localisation: it shows what moved the score.", fontsize=8)
    return figure
