"""A synthetic frontal chest film with a known pneumothorax: no patient's film is needed to test, or to show.

Path lengths through simple anatomy → attenuation (Beer–Lambert) → scatter, blur and Poisson noise → logarithm and
display curve. `body.py`, `skeleton.py` and `vessels.py` hold the anatomy. It says nothing about accuracy.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from app.segmentation.reading.geometry import Laterality
from training.releasing.phantom.body import FIELD_MM, Body, airways, collapsed, lungs, soft_tissue
from training.releasing.phantom.skeleton import skeleton
from training.releasing.phantom.vessels import marking, vessels

WATER_PER_MM = 0.019  # linear attenuation at about 60 keV, the mean energy of a 120 kVp beam
BONE_PER_MM = 0.028  # beyond the water that it takes the place of
LUNG_DENSITY = 0.2  # of water, in deep inspiration
PHOTONS_PER_MM2 = 4e5
SCATTER_FRACTION = 0.35


@dataclass(frozen=True)
class Phantom:
    """A drawn film and what is known of it.

    Attributes:
        image: float32 (H, W) in [0, 1], bone bright.
        true_mask: bool (H, W), the pneumothorax.
    """

    image: np.ndarray
    true_mask: np.ndarray


def draw_phantom(seed: int, size: int = 512, pneumothorax: Laterality | None = Laterality.LEFT) -> Phantom:
    """Draw a frontal chest film.

    Args:
        seed: Equal seeds give equal films; the patient is the same with and without a pneumothorax.
        size: Side of the square film in pixels.
        pneumothorax: The patient's side that holds one; None for a normal film.
    """
    random = np.random.default_rng(seed)
    body, widest = Body.draw(random), random.uniform(24, 32)
    millimetres = ((np.arange(size) + 0.5) * FIELD_MM / size).astype(np.float32)
    x, y = np.meshgrid(millimetres - FIELD_MM / 2, millimetres)

    lung = lungs(x, y, body)
    tree = vessels(random, size, body)
    texture, grain = marking(random, size), marking(random, size)
    true_mask, pleura = np.zeros(x.shape, dtype=bool), np.zeros(x.shape)
    if pneumothorax:
        side = (x > 0 if pneumothorax is Laterality.LEFT else x < 0) & (lung > 0)
        inside = collapsed(x, y, body, widest)
        true_mask = side & (inside < 0)
        pleura = _pleura(inside) * side
        tree, texture = (_drawn_back(field, side, inside, widest) for field in (tree, texture))

    full = np.clip(lung / 90, 0, 1) ** 0.7
    density = LUNG_DENSITY * (1 + 0.1 * texture) * (0.85 + 0.5 * body.descent(y) ** 2)
    tissue = soft_tissue(x, y, body) * (1 + 0.008 * grain) - lung * np.where(true_mask, 1, 1 - density)
    tissue = tissue + np.where(true_mask, 0, tree * full) + pleura - airways(x, body)
    bone = skeleton(x, y, body, random)
    attenuation = WATER_PER_MM * np.clip(tissue, 0, None) + BONE_PER_MM * bone
    turn, shift = random.normal(0, 0.8), random.normal(0, 3, size=2)
    image = _with_marker(_expose(_posed(attenuation, turn, shift), random))
    return Phantom(image, _posed(true_mask, turn, shift) > 0.5)


def _pleura(inside: np.ndarray) -> np.ndarray:
    """Path length through the visceral pleura, which the beam meets edge on."""
    return 7 * np.exp(-((inside / 0.6) ** 2)) + 1.5 * np.exp(-np.clip(inside, 0, None) / 4) * (inside > 0)


def _drawn_back(field: np.ndarray, side: np.ndarray, inside: np.ndarray, widest: float) -> np.ndarray:
    """Move what a lung holds with the lung, as it draws back from the wall."""
    pixel = FIELD_MM / len(field)
    down, across = np.gradient(inside, pixel)
    rows, columns = np.indices(field.shape, dtype=np.float32)
    upper = np.clip(1 - rows / len(field) / 0.5, 0, 1)
    far = np.where(side, widest * upper * np.exp(-np.clip(inside, 0, None) / 50), 0) / pixel
    x, y = ((place - far * way).astype(np.float32) for place, way in ((columns, across), (rows, down)))
    return cv2.remap(field.astype(np.float32), x, y, cv2.INTER_LINEAR)


def _posed(field: np.ndarray, turn: float, shift: np.ndarray) -> np.ndarray:
    """Turn (degrees) and shift (millimetres) what is before the detector: nobody stands quite straight."""
    size = len(field)
    matrix: np.ndarray = cv2.getRotationMatrix2D((size / 2, size / 2), turn, 1.0)
    matrix[:, 2] += shift * size / FIELD_MM
    return cv2.warpAffine(field.astype(np.float32), matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)


def _expose(attenuation: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Detector exposure with scatter, blur and quantum noise, shown as a film, bone bright."""
    pixel = FIELD_MM / len(attenuation)
    primary = np.exp(-attenuation).astype(np.float32)
    scatter = SCATTER_FRACTION * _blur(np.minimum(primary, 0.3), 25, pixel)
    photons = PHOTONS_PER_MM2 * pixel**2 * cv2.GaussianBlur(primary + scatter, (0, 0), 0.22 / pixel)
    density = -np.log(np.maximum(random.poisson(photons), 1) / (PHOTONS_PER_MM2 * pixel**2)).astype(np.float32)
    density = cv2.GaussianBlur(density, (0, 0), 0.26 / pixel)
    density = np.minimum(density, np.percentile(density, 99.7))
    fine, finest = (density - _blur(density, width, pixel) for width in (3, 0.9))
    flattened = density - 0.3 * _blur(density, 30, pixel) + 0.5 * fine + 0.8 * finest
    low, high = -0.3, float(np.percentile(flattened, 99.7))
    level = np.clip((flattened - low) / (high - low), 0, 1.1)
    shown = 1 - np.exp(-1.4 * level**2 / (level + 0.3))  # toe and shoulder
    return np.clip(0.04 + 1.25 * shown, 0, 1).astype(np.float32)


def _blur(field: np.ndarray, millimetres: float, pixel: float) -> np.ndarray:
    """Blur widely, on a smaller grid where that is enough."""
    step = max(1, int(millimetres / pixel / 4))
    size = len(field)
    small = cv2.resize(field, (max(8, size // step),) * 2, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(
        small, (0, 0), millimetres / pixel / (size / len(small)), borderType=cv2.BORDER_REPLICATE
    )
    return cv2.resize(blurred, (size, size), interpolation=cv2.INTER_CUBIC)


def _with_marker(image: np.ndarray) -> np.ndarray:
    """Lay the lead letter L beside the patient's left shoulder."""
    scale = len(image) / FIELD_MM
    marker = np.zeros(image.shape, dtype=np.uint8)
    place, width = (round(358 * scale), round(30 * scale)), max(1, round(2.4 * scale))
    cv2.putText(marker, "L", place, cv2.FONT_HERSHEY_SIMPLEX, 0.7 * scale, 255, width)
    return np.maximum(image, 0.97 * (marker > 0)).astype(np.float32)


def phantom_png(seed: int = 0, size: int = 1024, pneumothorax: Laterality | None = Laterality.LEFT) -> bytes:
    """Encode a film as `draw_phantom` draws it as a PNG of 8 bits."""
    image = draw_phantom(seed, size, pneumothorax).image
    return cv2.imencode(".png", np.round(255 * image).astype(np.uint8))[1].tobytes()


def phantom(out: Path, seed: int = 0, size: int = 1024, pneumothorax: bool = True) -> None:
    """Draw a synthetic chest film, which is no patient's.

    Args:
        out: PNG to write.
        seed: Equal seeds give equal films.
        size: Side of the square film in pixels.
        pneumothorax: Whether there is one, on the patient's left.
    """
    out.write_bytes(phantom_png(seed, size, Laterality.LEFT if pneumothorax else None))
