"""Several trained networks side by side: what each costs, how well each does, and how it differs from the first.

For each, the decision (calibration, operating point, mask thresholds) is chosen on val as for a release, so that val
flatters all of them alike. Differences are paired: the same films, the same resamples of patients.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from app.segmentation.checkpoint import Checkpoint, load_checkpoint
from app.segmentation.decision.decision import Decision
from app.segmentation.network.engine import Evidence
from app.segmentation.reading.geometry import FilmGeometry
from training.data.films import PreparedFilms
from training.data.lineage import demand_both_classes
from training.errors import UserError
from training.evidence.costs import ensemble_costs, measure_costs
from training.evidence.ensemble import combine, fit_weights
from training.evidence.paired import paired_figures
from training.evidence.private_output import demand_private
from training.measuring.figures import figures_of
from training.measuring.metrics import overlap
from training.measuring.writing import markdown_table, with_interval
from training.releasing.calibrate import choose_decision, gather_evidence

ENSEMBLE = "ensemble"


def compare(
    trained: list[Path],
    data: Path,
    out: Path,
    ensemble: list[str] | None = None,
    open_test_split: bool = False,
    timing_rounds: int = 20,
    resamples: int = 1000,
) -> None:
    """Compare trained networks with the first of them: costs, figures, and paired differences.

    Args:
        trained: Checkpoints, `best.safetensors` of a training or released ones; the first is the reference.
        data: Prepared folder.
        out: Folder to write: comparison.csv, comparison.md, and `evidence/`, from which an interrupted comparison
            goes on. Evidence holds probability maps of films, so the folder must not be one that is committed.
        ensemble: Names of networks to weigh against each other, besides showing each alone: their runs' names.
        open_test_split: Whether to measure on the test split too. Choose before you look.
        timing_rounds: Films that each network answers for its time; the networks take turns.
        resamples: Bootstrap draws of patients, for the intervals.
    """
    demand_private(out)
    films = PreparedFilms.open(data)
    splits = ["val", "test"] if open_test_split else ["val"]
    for split in splits:
        demand_both_classes(films.table, films.expert_rows(split), f"Split {split} (label source expert_mask)")
    checkpoints = {path: load_checkpoint(path) for path in trained}
    _check_names([checkpoint.metadata.name for checkpoint in checkpoints.values()], ensemble or [])
    true_masks = [films.true_mask(row) for row in films.expert_rows("val")]
    evidence: dict[str, dict[str, list[Evidence]]] = {}
    for split in splits:
        gathered = [cached_evidence(one, films, split, out / "evidence") for one in checkpoints.values()]
        evidence[split] = {one.metadata.name: seen for one, seen in zip(checkpoints.values(), gathered, strict=True)}
    costs = measure_costs(checkpoints, timing_rounds)
    if ensemble:
        weights = fit_weights([evidence["val"][name] for name in ensemble], true_masks)
        for seen in evidence.values():
            members = zip(*(seen[name] for name in ensemble), strict=True)
            seen[ENSEMBLE] = [combine(film, weights) for film in members]
        costs = pd.concat([costs, ensemble_costs(ENSEMBLE, costs, dict(zip(ensemble, weights, strict=True)))])

    decisions = {name: choose_decision(seen, true_masks, None) for name, seen in evidence["val"].items()}
    figures = {}
    for split, by_name in evidence.items():
        tables = {name: answer(seen, decisions[name], films, split) for name, seen in by_name.items()}
        figures[split] = paired_figures(tables, segmentation_figures, resamples)
    results = pd.concat(figures, names=["split", None]).reset_index(level="split")
    results.merge(costs, on="name").to_csv(out / "comparison.csv", index=False, float_format="%.5g")
    text = describe(costs, figures, films) + differing_settings(list(checkpoints.values()))
    (out / "comparison.md").write_text(text)
    print(text)


def _check_names(names: list[str], ensemble: list[str]) -> None:
    if len(set(names)) < len(names):
        raise UserError(f"Two networks have the same name: {', '.join(names)}; train them as runs of other names.")
    if unknown := set(ensemble) - set(names):
        raise UserError(f"The ensemble names {', '.join(sorted(unknown))}, but compared are {', '.join(names)}.")


def cached_evidence(checkpoint: Checkpoint, films: PreparedFilms, split: str, folder: Path) -> list[Evidence]:
    """Gather the evidence of a split, or read what an earlier comparison gathered.

    Maps are kept in half precision, also where nothing was cached, so that a comparison that was interrupted gives
    what it would have given.
    """
    rows = films.expert_rows(split)
    ids = films.table["image_id"].to_numpy()[rows].astype(str)
    path = folder / f"{checkpoint.sha256[:16]}-{split}.npz"
    if not (path.is_file() and np.array_equal(np.load(path)["image_ids"], ids)):
        print(f"{checkpoint.metadata.name}, {split}: {len(rows)} films")
        gathered = gather_evidence(checkpoint, films, rows, checkpoint.metadata.mirror_size)
        logits = np.array([[seen.image_logit, seen.map_logit] for seen in gathered])
        maps = np.stack([seen.probability_map.astype(np.float16) for seen in gathered])
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part.npz")
        np.savez(unfinished, image_ids=ids, logits=logits, maps=maps)
        unfinished.rename(path)
    stored = np.load(path)
    unknown = np.empty(0, np.float32)
    return [
        Evidence(probability_map, np.zeros_like(probability_map), float(image_logit), float(map_logit), unknown)
        for probability_map, (image_logit, map_logit) in zip(
            stored["maps"].astype(np.float32), stored["logits"], strict=True
        )
    ]


def answer(evidence: Sequence[Evidence], decision: Decision, films: PreparedFilms, split: str) -> pd.DataFrame:
    """Decide upon the evidence of a split; no film is doubted."""
    rows, answers = films.expert_rows(split), []
    for row, seen in zip(rows, evidence, strict=True):
        true_mask = films.true_mask(row)
        prediction = decision.decide(seen, FilmGeometry(true_mask.shape))
        answers.append({"probability": prediction.probability, **overlap(prediction.mask, true_mask)})
    known = films.table.iloc[rows][["patient_id", "label"]].reset_index(drop=True)
    return pd.concat([known, pd.DataFrame(answers)], axis=1)


def segmentation_figures(table: pd.DataFrame) -> dict[str, float]:
    """What networks are compared by."""
    return figures_of(table, ("auroc", "dice_pos", "iou_pos", "dice_all"))


def describe(costs: pd.DataFrame, figures: dict[str, pd.DataFrame], films: PreparedFilms) -> str:
    """Write the comparison for reading."""
    cells = [
        [
            *("" if pd.isna(row[name]) else str(row[name]) for name in ("name", "network", "started_from")),
            *("" if pd.isna(row[name]) else f"{row[name]:,.0f}" for name in ("image_size", "films_seen")),
            f"{row['parameters'] / 1e6:.2f} M",
            *(f"{row[name]:.1f}" for name in ("file_mb", "gflop", "ms")),
            f"{row['ms_ratio']:.2f}",
        ]
        for _, row in costs.iterrows()
    ]
    header = ["name", "network", "started from", "pixels", "films seen", "parameters", "MB", "GFLOP", "ms", "ms, ratio"]
    parts = [
        "# Networks side by side\n\nGFLOP and ms are the network's for one film as served, its mirror image included; "
        f"ms is the median on this\nmachine's CPU, {torch.get_num_threads()} threads, the networks taking turns in one "
        "process. An ensemble costs what its members cost\ntogether.\n",
        markdown_table(header, cells),
    ]
    for split, table in figures.items():
        labels = films.table["label"].to_numpy()[films.expert_rows(split)]
        parts.append(f"## {split}: {len(labels)} films, {labels.sum()} positive\n")
        parts.append(_figures_table(table))
    parts.append(
        "95 % intervals are from bootstrap resamples of patients; differences are to the first network, on the "
        "same\nresamples. Thresholds, calibration and the ensemble's weights were chosen on val, so val flatters. "
        "`dice_all` counts a\nfilm that is rightly left empty as 1.\n"
    )
    return "\n".join(parts)


def _figures_table(table: pd.DataFrame) -> str:
    names, columns = table["name"].unique(), table["figure"].unique()
    cells = table.set_index(["name", "figure"])
    rows = []
    for name in names:
        row = [name]
        for column in columns:
            own = cells.loc[(name, column)]
            difference = own[["difference", "difference_low", "difference_high"]]
            row.append(with_interval(*own[["value", "low", "high"]]))
            row.append("" if name == names[0] else with_interval(*difference, signed=True))
        rows.append(row)
    header = [text for column in columns for text in (column, "difference")]
    return markdown_table(["name", *header], rows)


def differing_settings(checkpoints: Sequence[Checkpoint]) -> str:
    """Name the settings in which the trainings differ, so that nobody takes two recipes for two networks."""
    settings = [checkpoint.metadata.provenance.get("settings", {}) for checkpoint in checkpoints]
    names = sorted(set().union(*settings))
    differing = {name: [one.get(name, "unknown") for one in settings] for name in names}
    differing = {name: values for name, values in differing.items() if any(value != values[0] for value in values)}
    if not differing:
        return "\nAll were trained with the same settings, networks and starts aside.\n"
    rows = [[name, *map(str, values)] for name, values in differing.items()]
    header = ["setting", *(checkpoint.metadata.name for checkpoint in checkpoints)]
    return f"\n## Settings that differ\n\n{markdown_table(header, rows)}"
