"""Heat maps of a film, and how well each happens to point at what experts marked.

A heat map says what moved the score; it is no localisation, and nothing taught it to be one. The figures here say how
far it may be taken for one, beside the probability map, which was taught.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from app.segmentation.decision.calibration import Calibration
from app.segmentation.network.attribution import Activations, occlude, trace_activations
from app.segmentation.network.preprocessing import PreprocessingConfig, preprocess, restore
from app.segmentation.network.torch_engine import TorchEngine
from training.data.films import PreparedFilms
from training.evidence.paired import paired_figures

PROBABILITY_MAP = "probability map"
FEATURE_MAP = "feature map that raised the score most"
OCCLUSION = "occlusion"
ANYWHERE = "anywhere alike"
"""A map of one value: it hits, and has inside the mask, the mask's share of the film."""


def stage_name(stage: int) -> str:
    """Name the Grad-CAM of an encoder stage; stage k has halved the film k times."""
    return f"Grad-CAM, stage {stage}"


def heat_maps(traced: Activations, drops: np.ndarray | None) -> dict[str, np.ndarray]:
    """Collect the maps of a film, each float32 (h, w) and not negative.

    Args:
        traced: From `trace_activations`.
        drops: Occlusion map, or None where it was not asked for.
    """
    raised = max(traced.feature_maps, key=lambda feature: feature.contribution)
    maps = {stage_name(index): stage for index, stage in enumerate(traced.stages, start=1)}
    maps[FEATURE_MAP] = np.maximum(raised.weighted, 0)
    return maps if drops is None else {**maps, OCCLUSION: np.maximum(drops, 0)}


def occlusion_map(engine: TorchEngine, calibration: Calibration, batch: np.ndarray, cells: int) -> np.ndarray:
    """Compute the finished occlusion map of a film, float32 (cells, cells), in logits."""
    *_, finished = occlude(engine, calibration, batch, cells)
    return finished.drops


def point_and_energy(heat: np.ndarray, true_mask: np.ndarray) -> tuple[float, float]:
    """Score a heat map against an expert's mask.

    Args:
        heat: float32 (h, w), not negative; it is brought to the film's size.
        true_mask: bool (H, W).

    Returns:
        Whether its maximum lies in the mask (pointing game: Zhang et al., 2018, here without tolerance), and the share
        of its sum that does (energy-based pointing game: Wang et al., 2020). A map that is zero everywhere has neither.
    """
    whole = restore(heat, true_mask.shape)
    total = float(whole.sum(dtype=np.float64))
    if total <= 0:
        return 0.0, 0.0
    return float(true_mask.flat[whole.argmax()]), float(whole[true_mask].sum(dtype=np.float64)) / total


def score_positives(
    engine: TorchEngine,
    calibration: Calibration,
    preprocessing: PreprocessingConfig,
    films: PreparedFilms,
    rows: Sequence[int] | np.ndarray,
    kept: Path,
    occlusion_cells: int | None = None,
) -> pd.DataFrame:
    """Score every heat map of positive films, one film after the other, each kept as soon as it is done.

    Args:
        engine: The network.
        calibration: What makes the score of its two logits.
        preprocessing: Its input.
        films: Prepared films.
        rows: Positive films.
        kept: CSV file that grows by a film at a time; films in it are not computed again.
        occlusion_cells: Cells along a side of the occlusion map; None leaves it out, which saves most of the time.

    Returns:
        One row a film and map: film, its place in `rows`; method, hit, energy.
    """
    done = pd.read_csv(kept) if kept.is_file() else pd.DataFrame(columns=["film", "method", "hit", "energy"])
    for film, row in enumerate(tqdm(rows, desc=kept.stem, unit="film")):
        if (done["film"] == film).any():
            continue
        batch, true_mask = preprocess(films.image(row), preprocessing), films.true_mask(row)
        drops = None if occlusion_cells is None else occlusion_map(engine, calibration, batch, occlusion_cells)
        maps = {
            PROBABILITY_MAP: engine.run(batch).probability_map,
            **heat_maps(trace_activations(engine, calibration, batch), drops),
            ANYWHERE: np.ones((8, 8), dtype=np.float32),
        }
        scores = {method: point_and_energy(heat, true_mask) for method, heat in maps.items()}
        scores[ANYWHERE] = (float(true_mask.mean()), scores[ANYWHERE][1])  # the argmax of equals says nothing
        new = pd.DataFrame([(film, method, *pair) for method, pair in scores.items()], columns=done.columns)
        new.to_csv(kept, mode="a", header=not kept.is_file(), index=False)
    return pd.read_csv(kept)


def summarise_scores(scores: pd.DataFrame, patients: np.ndarray, resamples: int = 1000) -> pd.DataFrame:
    """Sum up the scores of each map, with its difference to the probability map's on the same films.

    Args:
        scores: From `score_positives`.
        patients: Patient of each film.
        resamples: Bootstrap draws of patients.
    """
    scores = scores.assign(patient_id=patients[scores["film"]], label=1).sort_values("film", kind="stable")
    tables = {method: own for method, own in scores.groupby("method", sort=False)}

    def means(table: pd.DataFrame) -> dict[str, float]:
        return {name: float(table[name].mean()) for name in ("hit", "energy")}

    return paired_figures(tables, means, resamples)
