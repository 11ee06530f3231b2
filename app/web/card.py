"""What is known of the loaded model, from its checkpoint and from the files of its release beside the weights."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.analysis.language import mark, number
from app.segmentation.decision.population import Population
from app.segmentation.predictor import Predictor

FIGURES = {
    "auroc": (
        mark("AUROC"),
        mark("how well the probability tells films with from films without a pneumothorax; 0.5 is chance"),
    ),
    "average_precision": (mark("Average precision"), mark("area under precision over recall")),
    "sensitivity": (mark("Sensitivity"), mark("share of films with a pneumothorax above the operating point")),
    "specificity": (mark("Specificity"), mark("share of films without a pneumothorax below the operating point")),
    "dice_pos": (mark("Mean Dice of positive films"), mark("how well marks and a reader's mask overlap; 1 is perfect")),
    "iou_pos": (mark("Mean IoU of positive films"), mark("the same, counted more strictly")),
    "dice_all": (
        mark("Mean Dice of all films"),
        mark("a film rightly left empty counts as 1; read it beside the next line"),
    ),
    "dice_all_if_empty": (mark("… of marking nothing"), mark("what a model that never marks anything would reach")),
    "false_masks": (
        mark("Negative films with a mark"),
        mark("share of films without a pneumothorax on which something is marked"),
    ),
    "positives_found_negative": (mark("Positive films called negative"), mark("as the application says it")),
    "abstained": (mark("Films called indeterminate"), ""),
    "calibration_error": (
        mark("Calibration error"),
        mark("how far probabilities lie from what was observed, on average"),
    ),
    "brier": (mark("Brier score"), mark("mean squared error of the probability")),
}
"""Figures that the page shows, in its order: name, and what it says."""

PLOTS = {
    "roc": (mark("ROC"), mark("Sensitivity over the share of false alarms, for every operating point.")),
    "reliability": (
        mark("Reliability"),
        mark("How often there was a pneumothorax, over the probability that the model gave."),
    ),
    "dice_by_size": (
        mark("Dice by size"),
        mark("How well the marks overlap a reader's mask, over the size of that mask."),
    ),
}
"""Plots of `training report`, by the name of their file: title, and what they show."""

SPLITS = ("test", "val")
"""Those that a release measures; the plots are of the first that has any."""
SITE = "site"
"""In place of a split: another site's films, where a model was set anew for it."""


@dataclass(frozen=True)
class Card:
    """What the page about the model shows.

    Attributes:
        predictor: The loaded model.
        sections: Of the model card: paragraphs, lists and tables by heading; none where no card of this model is there.
        plots: Folder of its plots; None where none of this model is there.
        split: Whose films the plots show.
    """

    predictor: Predictor
    sections: Mapping[str, list[dict]]
    plots: Path | None
    split: str

    @property
    def population(self) -> Population:
        """The films that it learnt from."""
        return self.predictor.population

    @property
    def splits(self) -> list[tuple[str, dict]]:
        """What was measured, by split."""
        metrics = self.predictor.metadata.metrics
        return [(split, metrics[split]) for split in (*SPLITS, SITE) if split in metrics]

    @property
    def figures(self) -> list[tuple[str, str, list[str]]]:
        """Rows of the table: name, meaning, and value with interval for each split."""
        measured = [split["figures"] for _, split in self.splits if "figures" in split]
        return [
            (title, meaning, [_with_interval(figures.get(code)) for figures in measured])
            for code, (title, meaning) in FIGURES.items()
            if any(code in figures for figures in measured)
        ]

    @property
    def shown_plots(self) -> list[tuple[str, str, str]]:
        """File, title and meaning of each plot that is there."""
        if self.plots is None:
            return []
        return [(name, *words) for name, words in PLOTS.items() if (self.plots / f"{name}.svg").is_file()]


def card_of(predictor: Predictor, weights: Path) -> Card:
    """Read what lies beside the weights, as far as it is of this model and of no other.

    Args:
        predictor: The loaded model.
        weights: Its file.
    """
    text = _text(weights.with_name("MODEL_CARD.md"))
    sections = sections_of(text) if predictor.sha256 in text else {}
    for split in SPLITS:
        folder = weights.parent / "report" / split
        if json.loads(_text(folder / "metrics.json") or "{}").get("sha256") == predictor.sha256:
            return Card(predictor, sections, folder, split)
    return Card(predictor, sections, None, "")


def sections_of(markdown: str) -> dict[str, list[dict]]:
    """Take a card of `training release` apart: its headings of the second rank, and what stands below each.

    Returns:
        By heading, blocks of a "kind" (paragraph, list, table) and its "rows": lists of cells, one cell where it is no
        table. Emphasis is taken out, code is not shown.
    """
    sections: dict[str, list[dict]] = {}
    for part in re.split(r"^## ", markdown, flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        body = re.sub(r"^```.*?^```$", "", body, flags=re.MULTILINE | re.DOTALL)
        sections[title.strip()] = [_block(block) for block in re.split(r"\n\s*\n", body.strip()) if block.strip()]
    return sections


def _block(text: str) -> dict:
    if text.startswith("|"):
        rows = [[_plain(cell) for cell in line.strip("| ").split("|")] for line in text.splitlines()]
        return {"kind": "table", "rows": [row for row in rows if set("".join(row)) - set("- ")]}
    if text.startswith("- "):
        return {"kind": "list", "rows": [[_plain(item)] for item in re.split(r"^- ", text, flags=re.MULTILINE)[1:]]}
    return {"kind": "paragraph", "rows": [[_plain(text)]]}


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("**", "").replace("`", "")).strip()


def _with_interval(figure: Mapping | None) -> str:
    if figure is None:
        return "–"
    low, high = figure["interval"]
    return f"{number(figure['value'], 3)} ({number(low, 3)}–{number(high, 3)})"


def _text(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""
