"""What a released model leans on: pictures of heat maps, and how far they point at what experts marked."""

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from app.segmentation.network.attribution import OCCLUSION_CELLS, trace_activations
from app.segmentation.network.preprocessing import preprocess
from app.segmentation.predictor import Predictor
from app.segmentation.reading.radiograph import Radiograph
from training.data.films import PreparedFilms
from training.evidence.film_answers import kept_answers, key_of
from training.evidence.growth import follow_epochs, kept_epochs
from training.evidence.heat_maps import PROBABILITY_MAP, occlusion_map, score_positives, summarise_scores
from training.evidence.panels import Panel, draw_panel
from training.evidence.private_output import demand_private
from training.measuring.writing import markdown_table, with_interval

OUTCOMES = {
    "true_positive": (1, 1),
    "false_negative": (1, 0),
    "false_positive": (0, 1),
    "true_negative": (0, 0),
}
"""By name of the picture: label, and what the model called at its operating point."""


def explain(
    weights: Path,
    data: Path,
    out: Path,
    split: str = "val",
    films: int = 8,
    positives: int | None = None,
    occlusion_cells: int = OCCLUSION_CELLS,
    run: Path | None = None,
    resamples: int = 1000,
) -> None:
    """Draw heat maps of films of every outcome, and score each kind of map against the experts' masks.

    Args:
        weights: Released checkpoint.
        data: Prepared folder.
        out: Folder to write: pictures, scores.csv, scores.md, and with a run growth.csv and growth.png. The pictures
            show films, so it must not be one that is committed. An interrupted measurement goes on from it.
        split: "val" or "test".
        films: Films to draw, in equal parts of true and false positives and negatives, drawn by lot.
        positives: Positive films to score; all, if not given.
        occlusion_cells: Cells along a side of the occlusion map. Half as many take a quarter of the time.
        run: Folder of a training with `--keep_epochs true`, to see how Grad-CAM changed from epoch to epoch.
        resamples: Bootstrap draws of patients, for the intervals.
    """
    demand_private(out)
    epochs = {} if run is None else kept_epochs(run)
    predictor, prepared = Predictor.load(weights), PreparedFilms.open(data)
    out.mkdir(parents=True, exist_ok=True)
    answers = kept_answers(predictor, prepared, split, out / "answers")
    rows = prepared.expert_rows(split)
    drawn = draw_lots(answers, films)
    for name, place in tqdm(drawn.items(), desc="pictures", unit="film"):
        picture = describe_film(predictor, prepared, rows[place], name, occlusion_cells)
        draw_panel(picture).savefig(out / f"{name}.png", dpi=110)
    image_ids = prepared.table["image_id"].to_numpy()[rows[list(drawn.values())]]
    pd.DataFrame({"picture": list(drawn), "image_id": image_ids}).to_csv(out / "pictures.csv", index=False)

    positive = np.flatnonzero(answers["label"] == 1)[:positives]
    patients = answers["patient_id"].to_numpy()[positive]
    kept = out / f"scores-{key_of(predictor, prepared, split, occlusion_cells)}.csv"
    preprocessing, calibration = predictor.metadata.preprocessing, predictor.decision.calibration
    scores = score_positives(
        predictor.reference, calibration, preprocessing, prepared, rows[positive], kept, occlusion_cells
    )
    figures = summarise_scores(scores[scores["film"] < len(positive)], patients, resamples)
    figures.to_csv(out / "scores.csv", index=False, float_format="%.4f")
    (out / "scores.md").write_text(describe_scores(figures, f"{predictor.metadata.name}, {split}", len(positive)))
    print((out / "scores.md").read_text())
    if epochs:
        shown = {name: rows[place] for name, place in drawn.items() if answers["label"].iloc[place] == 1}
        follow_epochs(epochs, prepared, split, rows[positive], patients, shown, out, resamples)


def draw_lots(answers: pd.DataFrame, films: int) -> dict[str, int]:
    """Draw films of every outcome, with the same lots each time.

    Args:
        answers: From `kept_answers`.
        films: How many, over all outcomes; there may be fewer of one.

    Returns:
        Place of each film in the answers, by name: "true_positive-1" …
    """
    order = np.random.default_rng(0).permutation(len(answers))
    outcomes = list(zip(answers["label"].iloc[order], answers["called"].iloc[order], strict=True))
    drawn: dict[str, int] = {}
    for name, outcome in OUTCOMES.items():
        places = [place for place, own in zip(order, outcomes, strict=True) if own == outcome]
        share = -(-films // len(OUTCOMES))
        drawn |= {f"{name}-{number}": int(place) for number, place in enumerate(places[:share], start=1)}
    return drawn


def describe_film(predictor: Predictor, films: PreparedFilms, row: int, name: str, occlusion_cells: int) -> Panel:
    """Compute everything that the picture of a film shows."""
    image = films.image(row)
    prediction = predictor.predict(Radiograph(image, "PNG"))
    batch = preprocess(image, predictor.metadata.preprocessing)
    calibration = predictor.decision.calibration
    outcome = name.split("-")[0].replace("_", " ")
    return Panel(
        title=f"{outcome}: {prediction.probability:.0%} for a pneumothorax, called {prediction.finding}",
        image=image,
        true_mask=films.true_mask(row),
        predicted_mask=prediction.mask,
        probability_map=prediction.probability_map,
        traced=trace_activations(predictor.reference, calibration, batch),
        drops=occlusion_map(predictor.reference, calibration, batch, occlusion_cells),
    )


def describe_scores(figures: pd.DataFrame, title: str, films: int) -> str:
    """Write the scores for reading."""
    rows = []
    for method, own in figures.groupby("name", sort=False):
        row = [method]
        for _, figure in own.iterrows():
            row.append(with_interval(*figure[["value", "low", "high"]]))
            difference = figure[["difference", "difference_low", "difference_high"]]
            row.append("" if method == PROBABILITY_MAP else with_interval(*difference, signed=True))
        rows.append(row)
    header = ["map", "pointing game: hits", "difference", "energy inside the mask", "difference"]
    return (
        f"# Heat maps against experts' masks: {title}, {films} positive films\n\n"
        f"{markdown_table(header, rows)}\n"
        "A heat map is not a localisation: it shows what moved the score. A hit is a maximum inside the expert's\n"
        "mask (Zhang et al., 2018); energy is the share of the map inside it (Wang et al., 2020). The last line is\n"
        "what a map of one value would get, the mask's share of the film. 95 % intervals, from bootstrap resamples of\n"
        "patients; differences are to the probability map, on the same resamples.\n"
    )
