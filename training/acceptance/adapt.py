"""A model set anew for a site: same weights, another calibration and operating point, as a checkpoint of its own."""

import base64
import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from app.segmentation.checkpoint import Checkpoint, save_checkpoint
from app.segmentation.decision.calibration import OperatingPoint
from app.segmentation.decision.decision import Decision
from app.segmentation.network.openvino_graph import graph_path
from app.segmentation.notice import NOTICE
from app.segmentation.predictor import Predictor
from app.segmentation.reading.image_io import read_radiograph
from training.acceptance.figures import measure
from training.measuring.writing import markdown_table, with_interval
from training.releasing.calibrate import choose_operating_point, fit_platt

ENOUGH = 50
"""Films of either class below which nothing is fitted: a point chosen on fewer says more of them than of the site."""
WEIGHTS, CARD = "adapted.safetensors", "MODEL_CARD.md"
GRAPH = graph_path(Path(WEIGHTS)).name


@dataclass(frozen=True)
class Seen:
    """What the network said of a film, as `calibrate` takes it."""

    image_logit: float
    map_logit: float


def halves(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Split films by patient into those to fit on and those to report on.

    Patients with a positive film are dealt first, in the order of their ids' hashes, one to either half in turn; then
    the others. The same patients are split alike everywhere.

    Returns:
        Two masks of rows, bool (N,).
    """
    patients = table.groupby("patient_id")["label"].max().rename("positive").reset_index()
    patients["hash"] = [hashlib.sha256(str(patient).encode()).hexdigest() for patient in patients["patient_id"]]
    dealt = patients.sort_values(["positive", "hash"], ascending=[False, True])["patient_id"].tolist()
    fitted_on = table["patient_id"].isin(dealt[::2]).to_numpy()
    return fitted_on, ~fitted_on


def why_not(table: pd.DataFrame) -> str:
    """Say why nothing is fitted on films; "" where there are `ENOUGH` of either class."""
    positive, negative = int(table["label"].sum()), int((table["label"] == 0).sum())
    if min(positive, negative) >= ENOUGH:
        return ""
    return (
        f"Nothing was changed: to set a model anew takes {ENOUGH} positive and {ENOUGH} negative films at least; there "
        f"are {positive} and {negative}."
    )


def fit_decision(decision: Decision, table: pd.DataFrame, views: Iterable[str]) -> Decision:
    """Fit calibration and operating points; what counts as marked stays, its film gate moved to the same films.

    Args:
        decision: The parent's.
        table: From `answers.answer_films`, of the half to fit on.
        views: Those that get a point of their own.
    """
    seen = [Seen(*logits) for logits in table[["image_logit", "map_logit"]].to_numpy()]
    labels = table["label"].to_numpy()
    calibration = fit_platt(seen, labels)
    probabilities = np.array([calibration.probability(film.image_logit, film.map_logit) for film in seen])
    point = choose_operating_point(labels, probabilities)
    own = {view: (table["view"] == view).to_numpy() for view in views}
    of_views = {view: choose_operating_point(labels[rows], probabilities[rows]) for view, rows in own.items()}
    gate = decision.postprocessing.min_film_probability
    same_films = float(np.quantile(probabilities, (table["probability"] < gate).mean()))
    marks = replace(decision.postprocessing, min_film_probability=max(same_films, point.indeterminate_low))
    return Decision(decision.mirror_size, marks, calibration, point, of_views)


def views_with_enough(table: pd.DataFrame) -> tuple[list[str], str]:
    """Say which views get an operating point of their own, and of all of them why.

    Returns:
        The views, if each that there is has `ENOUGH` films of either class; and a sentence.
    """
    counts = table[table["view"] != ""].groupby("view")["label"].agg(["sum", "size"])
    told = "; ".join(f"{view} has {row['sum']} positive of {row['size']}" for view, row in counts.iterrows())
    enough = (counts["sum"] >= ENOUGH) & (counts["size"] - counts["sum"] >= ENOUGH)
    if len(counts) > 1 and enough.all():
        return [str(view) for view in counts.index], f"each has its own operating point ({told})"
    told = told or "no view is known"
    return [], f"one operating point for all, as a point of its own takes {ENOUGH} films of either class ({told})"


def save_adapted(parent: Checkpoint, weights: Path, decision: Decision, name: str, made: dict, folder: Path) -> Path:
    """Write a checkpoint of the same weights, and their graph beside it.

    Args:
        parent: What it is made of.
        weights: The parent's file.
        decision: The new one.
        name: The new model's.
        made: What its provenance says of its making.
        folder: Where to.
    """
    path = folder / WEIGHTS
    provenance = {**parent.metadata.provenance, "adapted": {"parent_sha256": parent.sha256, **made}}
    metadata = replace(parent.metadata, name=name, decision=decision, provenance=provenance)
    save_checkpoint(path, parent.model, metadata, parent.feature_distribution)
    if graph_path(weights).is_file():
        shutil.copy(graph_path(weights), graph_path(path))
    return path


def finish(path: Path, predictor: Predictor, table: pd.DataFrame, resamples: int) -> Predictor:
    """Write figures and the canary's new answer into an adapted checkpoint, and its card beside it.

    Args:
        path: From `save_adapted`.
        predictor: The same, loaded.
        table: Its answers to the half that it was not fitted on.
        resamples: Bootstrap draws of patients.
    """
    figures = measure(table.assign(view="", sex="", manufacturer="", age=""), resamples).set_index("figure")
    counts = {name: int(figures.iloc[0][name]) for name in ("films", "positive", "patients")}
    shown = {
        name: {"value": round(row["value"], 4), "interval": [round(row["low"], 4), round(row["high"], 4)]}
        for name, row in figures.dropna(subset="value").iterrows()
    }
    parent, metadata = predictor.checkpoint, predictor.metadata
    canary = metadata.canary
    if canary:
        film = read_radiograph(base64.b64decode(canary["film"]))
        canary = {**canary, "probability": predictor.predict(film).probability}
    metrics = {"site": {**counts, "figures": shown}}
    save_checkpoint(path, parent.model, replace(metadata, metrics=metrics, canary=canary), parent.feature_distribution)
    adapted = Predictor.load(path)
    (path.parent / CARD).write_text(card(adapted))
    return adapted


def card(predictor: Predictor) -> str:
    """Write the card of an adapted model; all that it does not say stands in its parent's."""
    metadata, decision, made = predictor.metadata, predictor.decision, predictor.metadata.provenance["adapted"]
    site, point = metadata.metrics["site"], decision.operating_point
    rows = [[name, with_interval(figure["value"], *figure["interval"])] for name, figure in site["figures"].items()]
    fitted_on, reported_on = (
        f"{counts['films']} films of {counts['patients']} patients, {counts['positive']} positive"
        for counts in (made, site)
    )
    return f"""# Model card: {metadata.name}

**{NOTICE}**

SHA-256 of this file: `{predictor.sha256}`. The weights are those of `{made["parent_sha256"]}`, whose card says how
they were made. Calibration and operating point were fitted to one site on {made["date"]}: {fitted_on}.

- Views: {made["views"]}.
{_of_view("All films" if not decision.of_views else "Films of no known view", point)}
{"".join(_of_view(view, own) for view, own in decision.of_views.items())}
Measured on other patients of that site: {reported_on}.

{markdown_table(["figure", "value (95 % interval)"], rows)}
Nothing is known of other sites. Measure again when machines or patients change.
"""


def _of_view(view: str, point: OperatingPoint) -> str:
    low, high = point.indeterminate_low, point.indeterminate_high
    return f"- {view}: positive from {point.threshold:.3f}; indeterminate from {low:.3f} to below {high:.3f}.\n"


def made_of(table: pd.DataFrame, views: str) -> dict:
    """Say what an adapted model was fitted on."""
    return {
        "date": date.today().isoformat(),
        "films": len(table),
        "positive": int(table["label"].sum()),
        "patients": int(table["patient_id"].nunique()),
        "views": views,
    }
