"""How well a network does on films that it does not learn from, for choosing an epoch."""

from collections.abc import Sequence

import numpy as np
import torch

from app.segmentation.decision.calibration import map_logit
from app.segmentation.network.preprocessing import PreprocessingConfig
from training.data.dataset import evaluation_loader
from training.data.films import PreparedFilms
from training.learning.losses import SegmentationLoss
from training.learning.progress import EpochFigures
from training.releasing.metrics import auroc, dice_scores, overlap

BATCH_SIZE = 8
"""Films in one forward pass. The batch's Dice loss depends on it: runs that differ in it have no comparable losses."""


@torch.inference_mode()
def validate(
    model: torch.nn.Module,
    films: PreparedFilms,
    preprocessing: PreprocessingConfig,
    loss_function: SegmentationLoss,
    batch_size: int = BATCH_SIZE,
    rows: Sequence[int] | None = None,
) -> dict[str, float]:
    """Measure a network on films that it does not learn from, in its own geometry.

    Args:
        model: In evaluation mode.
        films: Prepared films.
        preprocessing: Input of the network.
        loss_function: What the training minimises.
        batch_size: Films in one forward pass.
        rows: Which films; none: those of val with an expert's mask.

    Returns:
        "auroc_head", "auroc_map", "dice_pos" at its best threshold, that "threshold", "selection", the
        better AUROC plus `dice_pos`, and what `EpochFigures` gives of the training films too.
    """
    rows = films.rows("val", ["expert_mask"]) if rows is None else rows
    device = next(model.parameters()).device
    head, maps, masks, seen = [], [], [], EpochFigures()
    for image, true_mask, true_label, _ in evaluation_loader(films, rows, preprocessing, batch_size):
        mask_logits, image_logits = model(image.to(device, memory_format=torch.channels_last))
        targets = true_mask.to(device), true_label.to(device)
        seen.add(mask_logits, image_logits, *targets, loss_function(mask_logits, image_logits, *targets)["loss"])
        head.append(image_logits[:, 0].float().cpu())
        maps.append(mask_logits[:, 0].float().sigmoid().cpu())
        masks.append(true_mask[:, 0] > 0)
    labels = films.table["label"].to_numpy()[rows]
    probability_maps, true_masks = torch.cat(maps).numpy(), torch.cat(masks).numpy()
    positive = labels == 1
    by_threshold = {
        threshold: float(dice_scores(**overlap(probability_maps[positive] >= threshold, true_masks[positive])).mean())
        for threshold in np.arange(0.1, 0.9, 0.1).round(1)
    }
    threshold = max(by_threshold, key=by_threshold.get)
    figures = {
        **seen.figures(),
        "auroc_head": auroc(labels, torch.cat(head).numpy()),
        "auroc_map": auroc(labels, np.array([map_logit(plane) for plane in probability_maps])),
        "dice_pos": by_threshold[threshold],
        "threshold": float(threshold),
    }
    return {**figures, "selection": max(figures["auroc_head"], figures["auroc_map"]) + figures["dice_pos"]}
