"""How well a network does on films that it does not learn from, for choosing an epoch or a recipe."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from app.segmentation.network.logits import map_logit
from app.segmentation.network.preprocessing import PreprocessingConfig
from training.data.dataset import evaluation_loader
from training.data.films import PreparedFilms
from training.learning.answering import answering
from training.learning.losses import SegmentationLoss
from training.learning.progress import EpochFigures
from training.measuring.metrics import auroc, dice_scores, overlap

BATCH_SIZE = 8
"""Films in one forward pass. The batch's Dice loss depends on it: runs that differ in it have no comparable losses."""
ANSWERS_FILE = "answers.csv"
"""In the folder of a run: what the weights of its last epoch answered to each validation film."""
DICE_PREFIX = "dice_at_"
THRESHOLDS = tuple(np.arange(0.1, 0.9, 0.1).round(1).tolist())


def validate(
    model: torch.nn.Module,
    films: PreparedFilms,
    preprocessing: PreprocessingConfig,
    loss_function: SegmentationLoss,
    batch_size: int = BATCH_SIZE,
) -> dict[str, float]:
    """Measure a network on the films of val with an expert's mask, in its own geometry.

    Args:
        model: In evaluation mode.
        films: Prepared films.
        preprocessing: Input of the network.
        loss_function: What the training minimises.
        batch_size: Films in one forward pass.

    Returns:
        "auroc_head", "auroc_map", "dice_pos" at its best threshold, that "threshold", "selection", the
        better AUROC plus `dice_pos`, and what `EpochFigures` gives of the training films too.
    """
    rows = films.expert_rows("val")
    return summarise(*answer_films(model, films, preprocessing, loss_function, batch_size, rows))


def summarise(answers: pd.DataFrame, figures: dict[str, float]) -> dict[str, float]:
    """Sum up what `answer_films` gave, as `validate` does."""
    dice = answers.loc[answers["label"] == 1].filter(like=DICE_PREFIX).mean()
    best = dice.idxmax()
    figures = {
        **figures,
        "auroc_head": auroc(answers["label"], answers["image_logit"]),
        "auroc_map": auroc(answers["label"], answers["map_logit"]),
        "dice_pos": float(dice[best]),
        "threshold": float(best.removeprefix(DICE_PREFIX)),
    }
    return {**figures, "selection": max(figures["auroc_head"], figures["auroc_map"]) + figures["dice_pos"]}


@torch.inference_mode()
def answer_films(
    model: torch.nn.Module,
    films: PreparedFilms,
    preprocessing: PreprocessingConfig,
    loss_function: SegmentationLoss,
    batch_size: int,
    rows: Sequence[int] | np.ndarray,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Answer films, each as it is, without its mirror image.

    Args:
        model: In evaluation mode; its film as a whole goes through it.
        films: Prepared films.
        preprocessing: Input of the network.
        loss_function: What the training minimises.
        batch_size: Films in one forward pass.
        rows: Which films.

    Returns:
        One row a film: image_id, patient_id, label, image_logit, map_logit, and the Dice score at each threshold; and
        what `EpochFigures` gives.
    """
    device, answer = next(model.parameters()).device, answering(model)
    answers, seen = [], EpochFigures()
    for image, true_mask, true_label, _ in evaluation_loader(films, rows, preprocessing, batch_size):
        mask_logits, image_logits = answer(image)
        targets = true_mask.to(device), true_label.to(device)
        seen.add(mask_logits, image_logits, *targets, loss_function(mask_logits, image_logits, *targets)["loss"])
        maps, true = mask_logits[:, 0].float().sigmoid(), targets[0][:, 0] > 0
        counts: dict[float, Any] = {
            level: overlap(maps >= level, true) for level in THRESHOLDS
        }  # on the device that holds the maps
        dice = {
            f"{DICE_PREFIX}{level}": dice_scores(**{name: count.cpu().numpy() for name, count in one.items()})
            for level, one in counts.items()
        }
        heads, planes = image_logits[:, 0].float().cpu().numpy(), maps.cpu().numpy()
        answers.append(pd.DataFrame({"image_logit": heads, "map_logit": [map_logit(one) for one in planes], **dice}))
    known = films.table.iloc[rows][["image_id", "patient_id", "label"]].reset_index(drop=True)
    return pd.concat([known, pd.concat(answers, ignore_index=True)], axis=1), seen.figures()
