"""A contact sheet of what training does to a film before it shows it to the network."""

from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from app.segmentation.network.preprocessing import PreprocessingConfig, resize
from app.segmentation.reading.image_io import read_radiograph
from training.data.augmentation import augment, build_augmentation, v2

COLUMNS = 5


def augmentations(film: Path, out: Path, image_size: int = 384, draws: int = 15, seed: int = 0) -> None:
    """Draw the training augmentations of one film: each alone, and all together as often as asked.

    Args:
        film: DICOM, PNG, JPEG or WebP. The sheet shows it, so take a synthetic one for a sheet that others see.
        out: Picture to write, .png or .svg.
        image_size: Side of the network input, in pixels.
        draws: How often all are drawn together, as training does.
        seed: Of the draws.
    """
    image = resize(read_radiograph(film.read_bytes()).image, PreprocessingConfig(image_size))
    out.parent.mkdir(parents=True, exist_ok=True)
    draw_sheet(image, draws, seed).savefig(out, dpi=110)


def draw_sheet(image: np.ndarray, draws: int, seed: int) -> Figure:
    """Lay out a film, float32 (S, S) in [0, 1], and its augmentations; the course of training is left alone."""
    whole = build_augmentation(len(image))
    together = [(f"all, draw {number}", whole) for number in range(1, draws + 1)]
    steps = [("as it is", v2.Identity()), *each_alone(whole), *together]
    rows = -(-len(steps) // COLUMNS)
    figure = Figure(figsize=(2.2 * COLUMNS, 2.4 * rows), layout="constrained")
    grid = figure.subplots(rows, COLUMNS, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for axes, (title, step) in zip(grid.flat, steps, strict=False):
            changed, _ = augment(image, np.zeros(image.shape, dtype=bool), step)
            axes.imshow(changed, cmap="gray", vmin=0, vmax=1)
            axes.set_title(title, fontsize=8)
    return figure


def each_alone(augmentation: v2.Compose) -> list[tuple[str, v2.Transform]]:
    """Name every step of the augmentation, and make it certain where training leaves it to chance."""
    steps = []
    for step in augmentation.transforms:
        if isinstance(step, v2.RandomApply):
            chance, step = step.p, step.transforms[0]
        elif isinstance(step, v2.RandomHorizontalFlip):
            chance, step = step.p, v2.RandomHorizontalFlip(1.0)
        else:
            chance = 1.0
        steps.append((f"{type(step).__name__}, on {chance:.0%}", step))
    return steps
