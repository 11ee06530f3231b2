"""Pictures of films and their heat maps. They show patients' films: keep them where the films are kept."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from app.segmentation.network.attribution import Activations
from app.segmentation.network.preprocessing import restore
from training.evidence.heat_maps import stage_name

CAPTION = (
    "A heat map shows what moved the score, each in units of its own; it is not a localisation of disease. Research "
    "use only.\nOcclusion and channels, those of the last encoder block: red raised the score, blue lowered it, in "
    "logits."
)
COLUMNS = 6


@dataclass(frozen=True)
class Panel:
    """What is drawn of one film; maps are in geometries of their own.

    Attributes:
        title: Outcome and probability.
        image: float32 (H, W) in [0, 1].
        true_mask: bool (H, W).
        predicted_mask: bool (H, W).
        probability_map: float32 (h, w) in [0, 1].
        traced: Grad-CAM of every stage, and feature maps.
        drops: float32 (G, G), from `occlude`, in logits.
    """

    title: str
    image: np.ndarray
    true_mask: np.ndarray
    predicted_mask: np.ndarray
    probability_map: np.ndarray
    traced: Activations
    drops: np.ndarray


def draw_panel(panel: Panel) -> Figure:
    """Draw a film, the expert's and the network's marks, and every heat map."""
    stages, features = panel.traced.stages, panel.traced.feature_maps
    rows = 2 + -(-len(features) // COLUMNS)
    figure = Figure(figsize=(2.3 * COLUMNS, 2.55 * rows + 0.6), layout="constrained")
    grid = figure.subplots(rows, COLUMNS)
    for axes in grid.flat:
        axes.axis("off")
    show(grid[0, 0], panel.image, "film")
    show(grid[0, 1], panel.image, "expert's mask", mask=panel.true_mask)
    show(grid[0, 2], panel.image, "prediction", panel.probability_map, panel.predicted_mask)
    show(grid[0, 3], panel.image, f"occlusion, up to {panel.drops.max():+.2f}", panel.drops, signed=True)
    for index, stage in enumerate(stages):
        show(grid[1, index], panel.image, stage_name(index + 1), stage)
    for axes, feature in zip(grid[2:].flat, features, strict=False):
        title = f"channel {feature.channel}: {feature.contribution:+.2f}"
        show(axes, panel.image, title, feature.weighted, signed=True)
    figure.suptitle(panel.title, fontsize=12)
    figure.supxlabel(CAPTION, fontsize=9)
    return figure


def draw_growth(
    films: list[tuple[str, np.ndarray, np.ndarray]], maps: list[dict[int, np.ndarray]], stage: int
) -> Figure:
    """Draw how the Grad-CAM of one stage changes from epoch to epoch, a row a film.

    Args:
        films: Title, image and expert's mask of each film.
        maps: Of each film, the map of each epoch.
        stage: Whose maps they are.
    """
    epochs = list(maps[0])
    figure = Figure(figsize=(1.9 * (1 + len(epochs)), 2.1 * len(films) + 0.8), layout="constrained")
    grid = figure.subplots(len(films), 1 + len(epochs), squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for row, ((title, image, true_mask), own) in enumerate(zip(films, maps, strict=True)):
        show(grid[row, 0], image, title, mask=true_mask)
        for column, epoch in enumerate(epochs, start=1):
            show(grid[row, column], image, f"epoch {epoch}", own[epoch])
    figure.suptitle(f"{stage_name(stage)}, from epoch to epoch", fontsize=12)
    figure.supxlabel(CAPTION, fontsize=9)
    return figure


def show(
    axes: Axes,
    image: np.ndarray,
    title: str,
    heat: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    signed: bool = False,
) -> None:
    """Show a film, a heat map over it and the outline of a mask, where there is any."""
    axes.imshow(image, cmap="gray", vmin=0, vmax=1)
    if heat is not None and np.abs(heat).max() > 0:
        whole = restore(np.asarray(heat, dtype=np.float32), image.shape) / float(np.abs(heat).max())
        strength = np.abs(whole) if signed else np.sqrt(np.maximum(whole, 0))  # the white of zero would be a fog
        colours, lowest = ("bwr", -1) if signed else ("inferno", 0)
        axes.imshow(whole, cmap=colours, vmin=lowest, vmax=1, alpha=0.65 * np.clip(strength, 0, 1))
    if mask is not None and mask.any():
        axes.contour(mask, [0.5], colors="lime", linewidths=0.8)
    axes.set_title(title, fontsize=8)
