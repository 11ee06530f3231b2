"""A graph of eight bits beside a released checkpoint, offered only where it answers as well as the one in float32."""

from collections.abc import Iterator
from pathlib import Path

import nncf
import numpy as np

from app.segmentation.checkpoint import Checkpoint, load_checkpoint
from app.segmentation.network.engine import mirrored
from app.segmentation.network.openvino_graph import graph_path
from app.segmentation.network.preprocessing import preprocess
from app.segmentation.predictor import Predictor
from training.data.films import PreparedFilms
from training.measuring.writing import publish
from training.releasing.evaluate import describe_split, predict_split
from training.releasing.graph import convert, write_graph

FIGURES = ("auroc", "dice_pos", "calibration_error")
TOLERANCE = 0.005
"""By how much each of them may be worse on val, and no more."""
CALIBRATION_FILMS = 100
"""Training films, each with its mirror image, from which the ranges of activations are taken."""


def quantise(weights: Path, data: Path, films: int = CALIBRATION_FILMS) -> dict:
    """Write the graph of eight bits, measure it on val beside float32, and remove it again unless it is as good.

    Args:
        weights: Released checkpoint; its graph in float32 lies beside it.
        data: Prepared folder.
        films: How many training films to calibrate on.

    Returns:
        What was printed, and written beside the weights as `….int8.json`: figures of both, and whether it is offered.
    """
    prepared, checkpoint = PreparedFilms.open(data), load_checkpoint(weights)
    path = graph_path(weights, "int8")
    rows = np.random.default_rng(0).permutation(prepared.expert_rows("train"))[:films]
    shown = nncf.Dataset(list(batches_of(checkpoint, prepared, rows)))
    quantised = nncf.quantize(convert(checkpoint.model), shown, subset_size=2 * len(rows))
    write_graph(quantised, checkpoint, path)
    tables = {kind: predict_split(Predictor.load(weights, kind), prepared, "val") for kind in ("openvino", "int8")}
    figures = {kind: describe_split(table)["figures"] for kind, table in tables.items()}
    worse = {name: round(loss_of(figures, name), 4) for name in FIGURES}
    offered = all(loss <= TOLERANCE for loss in worse.values())
    if not offered:
        path.unlink()
    report = {"offered": offered, "worse_by": worse, "val": figures}
    publish(report, path.with_suffix(".json"))
    return report


def batches_of(checkpoint: Checkpoint, films: PreparedFilms, rows: np.ndarray) -> Iterator[np.ndarray]:
    """Show films as an engine does: each as it is and, where that is wanted, its mirror image."""
    for row in rows:
        batch = preprocess(films.image(row), checkpoint.metadata.preprocessing)
        yield batch
        if checkpoint.metadata.mirror_size is not None:
            yield mirrored(batch, checkpoint.metadata.mirror_size)


def loss_of(figures: dict[str, dict], name: str) -> float:
    """Say by how much a figure is worse in eight bits; negative where it is better."""
    float32, int8 = (figures[kind][name]["value"] for kind in ("openvino", "int8"))
    return int8 - float32 if name == "calibration_error" else float32 - int8
