"""Measure a released model on a site's own films, and judge it by limits that the site wrote down before."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import pandas as pd

from app.segmentation.predictor import Predictor
from training.acceptance import adapt as adapting
from training.acceptance.answers import answer_films
from training.acceptance.figures import OF_ALL, card_figures, groups, measure, site_figures
from training.acceptance.labels import Issue, LabelledFilms, join_labels
from training.acceptance.limits import STOP_RULE, Limit, Verdict, demand_known_groups, judge, read_limits
from training.acceptance.page import draw_page, draw_plots
from training.data.lineage import demand_both_classes
from training.errors import TrainingDataError, UserError
from training.measuring.writing import markdown_table, with_interval, write_json, write_table

FILES = ("acceptance.json", "acceptance.pdf", "figures.csv", "films.csv", "left_out.csv")
MOMENTS = [(name, kind) for name in ("probability", "distance") for kind in ("mean", "sd")]
PLOTS = ("roc.svg", "calibration.svg", "scores.svg")


@dataclass(frozen=True)
class Acceptance:
    """What was measured at a site.

    Attributes:
        figures: From `figures.measure`.
        before: The parent's figures of the same films, where the model was set anew.
        issues: Films and labels that were left out.
        card: Split and figures of the model's card.
        judged: Every limit with its verdict.
        verdict: On the whole; None where the site set no limits.
        stop: When operation should stop.
    """

    table: pd.DataFrame
    figures: pd.DataFrame
    before: dict[tuple[str, str], float] | None
    issues: list[Issue]
    card: tuple[str, dict[str, float]]
    judged: list[tuple[Limit, Verdict]]
    verdict: Verdict | None
    stop: dict[str, float]


def accept(
    weights: Path,
    films: Path,
    labels: Path,
    out: Path,
    masks: Path | None = None,
    limits: Path | None = None,
    adapt: bool = False,
    name: str = "",
    resamples: int = 1000,
    threads: int = 0,
) -> int:
    """Measure a released model on your own films, and judge it by your own limits; the exit status is the verdict.

    0: limits met, or none set; 3: not met; 4: too few films to say; 1 and 2: the command could not be carried out.

    Args:
        weights: Released checkpoint.
        films: Folder of films, as they come from the archive: DICOM, PNG, JPEG or WebP, at any depth.
        labels: CSV with film (file name, with or without ending) and label (1 or 0); patient_id, view, age, sex,
            manufacturer and model where a DICOM header does not tell.
        out: Folder to write: acceptance.pdf, a page; figures.csv; films.csv, a line a film; left_out.csv; plots.
        masks: Folder of masks, <film's name>.png, for Dice.
        limits: YAML of limits that were written down before; see docs/acceptance.md.
        adapt: Whether to fit calibration and operating point anew on one half of the patients, and to report on the
            other: a new checkpoint in the folder.
        name: Of the new checkpoint; needed with --adapt.
        resamples: Bootstrap draws of patients.
        threads: Threads of one inference; 0: all cores.
    """
    demanded, stop = read_limits(limits) if limits else ([], STOP_RULE)
    _demand_own_folder(out)
    if adapt and not name:
        raise UserError("--adapt makes a new model; say by --name what it is to be called.")
    labelled = join_labels(films, labels, filter(None, (masks, limits, out)))
    predictor = Predictor.load(weights, threads=threads)
    card = card_figures(predictor.metadata.metrics)
    table = answer_films(predictor, labelled, masks)
    _demand_answers(table, labelled)
    unfinished = out.with_name(f"{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        before = None
        if adapt and (reason := adapting.why_not(table)):
            print(reason)
        elif adapt:
            before, predictor, table = _adapted(weights, predictor, table, labelled, masks, unfinished, name, resamples)
        figures = measure(table, resamples)
        demand_known_groups(limits or Path(), demanded, figures)
        verdict, judged = judge(demanded, figures) if demanded else (None, [])
        acceptance = Acceptance(table, figures, before, labelled.issues, card, judged, verdict, stop)
        _write(acceptance, predictor, unfinished)
        shutil.rmtree(out, ignore_errors=True)
        os.replace(unfinished, out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    print(summary(acceptance, predictor))
    print(f"written to {out}: {', '.join(sorted(path.name for path in out.iterdir()))}")
    served = out / adapting.WEIGHTS if before is not None else weights
    print(f"next: PLEURA_WEIGHTS={served} PLEURA_ACCEPTANCE={out / 'acceptance.json'} make run")
    return int(verdict or 0)


def _adapted(
    weights: Path,
    predictor: Predictor,
    table: pd.DataFrame,
    labelled: LabelledFilms,
    masks: Path | None,
    folder: Path,
    name: str,
    resamples: int,
) -> tuple[dict[tuple[str, str], float], Predictor, pd.DataFrame]:
    """Fit on one half of the patients, and answer the other half as the new model will.

    Returns:
        The parent's figures of that half, by group and figure; the new model; its answers.
    """
    fitted_on, reported = adapting.halves(table)
    views, said = adapting.views_with_enough(table)
    decision = adapting.fit_decision(predictor.decision, table[fitted_on], views)
    made = adapting.made_of(table[fitted_on], said)
    path = adapting.save_adapted(predictor.checkpoint, weights, decision, name, made, folder)
    others = set(table.loc[reported, "film"])
    half = LabelledFilms([film for film in labelled.films if film["film"] in others])
    adapted = Predictor.load(path)
    answers = answer_films(adapted, half, masks)
    before = {
        (group, figure): value
        for group, films in groups(table[reported])
        for figure, value in site_figures(films).items()
    }
    return before, adapting.finish(path, adapted, answers, resamples), answers


def summary(acceptance: Acceptance, predictor: Predictor) -> str:
    """Say in a table what was measured, beside the card's figures, and what was left out."""
    figures, (split, card) = acceptance.figures, acceptance.card
    shown = figures[figures["group"] == OF_ALL]
    rows = [
        [row["figure"], _as_text(row)]
        + ([f"{acceptance.before[OF_ALL, row['figure']]:.3f}"] if acceptance.before else [])
        + [f"{card[row['figure']]:.3f}" if row["figure"] in card else ""]
        for _, row in shown.iterrows()
    ]
    before = ["before"] if acceptance.before else []
    first = shown.iloc[0]
    counts = f"{first['films']} films of {first['patients']} patients, {first['positive']} positive"
    text = [f"{predictor.metadata.name}, {predictor.sha256[:12]}. {counts}\n"]
    text.append(markdown_table(["figure", "here (95 % interval)", *before, f"card ({split})"], rows))
    left_out = pd.Series([issue.code for issue in acceptance.issues], dtype=str).value_counts()
    text.append("left out or noted: " + (", ".join(f"{code} {n}" for code, n in left_out.items()) or "nothing"))
    text += [f"{verdict.words}: {limit}" for limit, verdict in acceptance.judged]
    text.append(f"verdict: {acceptance.verdict.words}" if acceptance.verdict is not None else "no limits were set")
    return "\n".join(text)


def _as_text(row: pd.Series) -> str:
    return "" if pd.isna(row["value"]) else with_interval(row["value"], row["low"], row["high"])


def _write(acceptance: Acceptance, predictor: Predictor, folder: Path) -> None:
    table, figures = acceptance.table, acceptance.figures
    split, card = acceptance.card
    beside = figures.assign(card=[card.get(name) for name in figures["figure"]])
    if acceptance.before is not None:
        pairs = zip(figures["group"], figures["figure"], strict=True)
        beside["before"] = [acceptance.before.get(pair) for pair in pairs]
    issues = [vars(issue) for issue in acceptance.issues]
    left_out = pd.DataFrame(issues, columns=["film", "code", "detail"], dtype=object)  # a name may be no text
    for written, name in ((beside, "figures"), (table, "films"), (left_out, "left_out")):
        write_table(written, folder / f"{name}.csv")
    of_all = figures[figures["group"] == OF_ALL].set_index("figure")
    alerts = (table["finding"] == "positive").mean()
    described = {
        "model": predictor.metadata.name,
        "sha256": predictor.sha256,
        "films": len(table),
        "positive": int(table["label"].sum()),
        "patients": int(table["patient_id"].nunique()),
        "verdict": acceptance.verdict.words if acceptance.verdict is not None else None,
        "limits": [{"limit": str(limit), "verdict": verdict.words} for limit, verdict in acceptance.judged],
        "card": {"split": split, **card},
        "figures": {
            name: {key: None if pd.isna(row[key]) else round(float(row[key]), 4) for key in ("value", "low", "high")}
            for name, row in of_all.iterrows()
        },
        "left_out": pd.Series([issue.code for issue in acceptance.issues], dtype=str).value_counts().to_dict(),
        "doubts": table["doubts"].str.split().explode().dropna().value_counts().to_dict(),
        "operation": {
            "films": len(table),
            "alert_share": round(float(alerts), 4),
            "withheld_share": round(float((table["withheld_for"] != "").mean()), 4),
            **{f"{name}_{kind}": _moment(table[name], kind) for name, kind in MOMENTS},
        },
        "stop": acceptance.stop,
    }
    write_json(described, folder / "acceptance.json")
    # Text that can be searched, and a machine may be called A$$.
    with matplotlib.rc_context({"pdf.fonttype": 42, "text.parse_math": False}):
        draw_page(described, beside, table).savefig(folder / "acceptance.pdf")
        for name, figure in draw_plots(table).items():
            figure.savefig(folder / f"{name}.svg")


def _moment(values: pd.Series, kind: str) -> float | None:
    value = values.mean() if kind == "mean" else values.std()
    return None if pd.isna(value) else round(float(value), 4)


def _demand_own_folder(out: Path) -> None:
    known = {*FILES, *PLOTS, adapting.WEIGHTS, adapting.GRAPH, adapting.CARD}
    if out.exists() and (not out.is_dir() or {path.name for path in out.iterdir()} - known):
        raise UserError(f"{out} holds something else than a report; name another --out.")


def _demand_answers(table: pd.DataFrame, labelled: LabelledFilms) -> None:
    if table.empty:
        issue = labelled.issues[0]
        raise TrainingDataError(
            f"No film could be measured; {len(labelled.issues)} film(s) or label(s) were left out, the first "
            f"{issue.film}: {issue.code}, {issue.detail}"
        )
    demand_both_classes(table, table.index.to_numpy(), "A report")
