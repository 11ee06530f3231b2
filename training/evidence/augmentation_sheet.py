"""A contact sheet of what training does to a film before it shows it to the network."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from app.segmentation.network.preprocessing import PreprocessingConfig, resize
from app.segmentation.reading.image_io import read_radiograph
from training.data.augmentation import DEGRADATIONS, TONES, by_chance
from training.data.windows import WindowConfig, cut_window, warp, window_matrix

COLUMNS = 5
WHOLE = WindowConfig(stretch=1.15, shear=3.0)


def augmentations(
    film: Path, out: Path, image_size: int = 384, draws: int = 15, seed: int = 0, window: WindowConfig = WHOLE
) -> None:
    """Draw the training augmentations of one film: each alone, and all together as often as asked.

    Args:
        film: DICOM, PNG, JPEG or WebP. The sheet shows it, so take a synthetic one for a sheet that others see.
        out: Picture to write, .png or .svg.
        image_size: Side of the network input, in pixels.
        draws: How often all are drawn together, as training does.
        seed: Of the draws.
        window: Windows, as in `train`; its default shows the whole film.
    """
    image = resize(read_radiograph(film.read_bytes()).image, PreprocessingConfig(image_size))
    out.parent.mkdir(parents=True, exist_ok=True)
    draw_sheet(image, draws, seed, window).savefig(out, dpi=110)


def draw_sheet(image: np.ndarray, draws: int, seed: int, window: WindowConfig = WHOLE) -> Figure:
    """Lay out a film, float32 (S, S) in [0, 1], and its augmentations."""
    film = np.rint(image * 255).astype(np.uint8)
    nothing = np.zeros(film.shape, dtype=bool)
    rng = np.random.default_rng(seed)
    pictures = [("as it is", image)]
    pictures += [(title, change(image, rng)) for title, change in each_alone(window.of_film(len(film)))]
    pictures += [
        (f"all, draw {number}", by_own_range(cut_window(film, nothing, window, rng)[0]))
        for number in range(1, draws + 1)
    ]
    figure = Figure(figsize=(2.2 * COLUMNS, 2.4 * -(-len(pictures) // COLUMNS)), layout="constrained")
    grid = figure.subplots(-(-len(pictures) // COLUMNS), COLUMNS, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, (title, picture) in zip(grid.flat, pictures, strict=False):
        axes.imshow(picture, cmap="gray", vmin=0, vmax=1)
        axes.set_title(title, fontsize=8)
    return figure


def each_alone(window: WindowConfig) -> Iterator[tuple[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]]]:
    """Name every step of the augmentation, made for certain; each takes a film (S, S), and what it draws from."""
    yield (
        "place, turn and mirror",
        lambda image, rng: warp(image, window_matrix(np.zeros(image.shape, dtype=bool), window, rng), window.size),
    )
    for step in (*TONES, *DEGRADATIONS):
        yield f"{step.name}, on {step.chance:.0%}", partial(certainly, step.change)


def certainly(change: Callable, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make one change of grey levels, whatever its chance."""
    return by_chance(change(image, rng), (), rng)


def by_own_range(window: np.ndarray) -> np.ndarray:
    """Bring a standardised window back to [0, 1], by its darkest and brightest pixel: the network sees no absolute."""
    low, high = float(window.min()), float(window.max())
    return (window - low) / max(high - low, 1e-6)
