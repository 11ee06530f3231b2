"""A synthetic frontal chest film with a known pneumothorax: no patient's film is needed to test.

Path lengths through simple anatomy → attenuation (Beer–Lambert) → scatter, blur and Poisson noise
→ logarithm and display window. Coordinates are millimetres on the detector: x from the midline, to
the picture's right (the patient's left); y from the upper edge. It says nothing about accuracy.

    python -m tests.phantom film.png --seed 7
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from app.segmentation.reading.geometry import Laterality
from tests.support.film_files import FIELD_MM, to_dicom, to_png

__all__ = ["Phantom", "draw_phantom", "to_dicom", "to_png"]

WATER_PER_MM = 0.020  # linear attenuation at about 60 keV, the mean energy of a 120 kVp beam
BONE_PER_MM = 0.050
LUNG_DENSITY = 0.26
PHOTONS_PER_MM2 = 6e5
SCATTER_FRACTION = 0.25


@dataclass(frozen=True)
class Phantom:
    """A drawn film and what is known of it.

    Attributes:
        image: float32 (H, W) in [0, 1], bone bright.
        true_mask: bool (H, W), the pneumothorax.
    """

    image: np.ndarray
    true_mask: np.ndarray


@dataclass(frozen=True)
class Body:
    """The proportions of one synthetic patient, in millimetres."""

    chest: float  # half the inner width of the chest, at its base
    apex: float
    base: float
    heart: float  # half its length
    rib_gap: float
    gap_of_air: float  # widest distance of the pleural line from the chest wall


def draw_phantom(seed: int, size: int = 512, pneumothorax: Laterality | None = Laterality.LEFT) -> Phantom:
    """Draw a frontal chest film.

    Args:
        seed: Equal seeds give equal films.
        size: Side of the square film in pixels.
        pneumothorax: The patient's side that holds one; None for a normal film.
    """
    random = np.random.default_rng(seed)
    body = Body(
        chest=random.uniform(122, 138),
        apex=random.uniform(16, 26),
        base=random.uniform(296, 312),
        heart=random.uniform(64, 76),
        rib_gap=random.uniform(23.5, 25.5),
        gap_of_air=random.uniform(24, 44),
    )
    millimetres = (np.arange(size) + 0.5) * FIELD_MM / size
    x, y = np.meshgrid(millimetres - FIELD_MM / 2, millimetres)

    lung, wall_distance = _lungs(x, y, body)
    vessels = _vessels(random, size) * (lung > 0)
    true_mask = np.zeros(x.shape, dtype=bool)
    pleura = np.zeros(x.shape)
    if pneumothorax:
        side = x > 0 if pneumothorax is Laterality.LEFT else x < 0
        line = body.gap_of_air * np.clip((0.8 * body.base - y) / (0.8 * body.base - body.apex), 0, 1) ** 0.7
        true_mask = side & (lung > 0) & (wall_distance < line)
        pleura = 18 * np.exp(-(((wall_distance - line) / 0.7) ** 2)) * (side & (lung > 0) & (line > 0))

    tissue = _soft_tissue(x, y, body) - lung * np.where(true_mask, 1, 1 - LUNG_DENSITY)
    tissue = np.clip(tissue, 0, None) + np.where(true_mask, 0, vessels) + pleura - _trachea(x, y)
    bone = _ribs(x.shape, body) + _clavicles(x.shape, body) + _spine(x, y)
    image = _expose(WATER_PER_MM * tissue + BONE_PER_MM * bone, random)
    return Phantom(_with_marker(image), true_mask)


def _lungs(x: np.ndarray, y: np.ndarray, body: Body) -> tuple[np.ndarray, np.ndarray]:
    """Path length through both lungs, and the distance from the outer chest wall."""
    across = np.abs(x)
    outer = _outer_wall(y, body)
    depth = np.clip((y - body.apex) / (body.base - body.apex), 0, 1)
    inner = 42 - 18 * np.sqrt(1 - (1 - depth) ** 8)
    cavity = 2 * 80 * np.sqrt(1 - (1 - depth) ** 3) * np.sqrt(np.clip(1 - (across / outer) ** 2, 0, None))
    summit = np.where(x < 0, body.base - 32, body.base - 22)
    dome = summit + 30 * (2 * across / body.chest - 1) ** 2
    aerated = np.sqrt(np.clip((across - inner) / 10, 0, 1)) * np.sqrt(np.clip((dome - y) / 14, 0, 1))
    middle = body.base - 62
    heart = _ellipsoid(x - body.heart + 41, y - middle - 4, (body.heart, 46, 120), tilt=0.75)
    atrium = _ellipsoid(x + 6, y - middle - 8, (36, 50, 90))
    knob = _ellipsoid(x - 22, y - 0.36 * body.base, (18, 18, 70))
    lung = np.clip(cavity * aerated - np.maximum.reduce([heart, atrium, knob]), 0, None)
    inside = ((across < outer) & (y > body.apex)).astype(np.uint8)
    wall_distance = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) * FIELD_MM / len(x)
    return lung, wall_distance


def _ellipsoid(x: np.ndarray, y: np.ndarray, axes: tuple[float, float, float], tilt: float = 0.0) -> np.ndarray:
    """Path length through an ellipsoid; `axes` are its two semi-axes on the film and its depth."""
    along, across = x * np.cos(tilt) + y * np.sin(tilt), y * np.cos(tilt) - x * np.sin(tilt)
    return axes[2] * np.sqrt(np.clip(1 - (along / axes[0]) ** 2 - (across / axes[1]) ** 2, 0, None))


def _outer_wall(y: np.ndarray | float, body: Body) -> np.ndarray:
    depth = np.clip((y - body.apex) / (body.base - body.apex), 1e-6, 1)
    return 42 + (body.chest - 42) * (1 - (1 - depth) ** 2.2) ** 0.55


def _soft_tissue(x: np.ndarray, y: np.ndarray, body: Body) -> np.ndarray:
    """Path length through neck, shoulders, trunk and arms, as if the lungs were solid."""
    across = np.abs(x)
    width = body.chest + 32 + 60 / (1 + np.exp((y - 105) / 12))
    trunk = 210 * np.sqrt(np.clip(1 - (across / width) ** 2, 0, None))
    arms = 95 * np.sqrt(np.clip(1 - ((across - 196) / 44) ** 2, 0, None))
    shoulder = -25 + 75 * np.clip((across - 48) / 130, 0, 1) ** 1.2
    gas = _ellipsoid(x - 58, y - body.base + 6, (22, 9, 25))
    return np.maximum(trunk, arms) * np.sqrt(np.clip((y - shoulder) / 60, 0, 1)) - gas


def _trachea(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return 16 * np.sqrt(np.clip(1 - (x / 9) ** 2, 0, None)) * np.clip((135 - y) / 15, 0, 1)


def _tube(points: np.ndarray, shape: tuple[int, int], radius: float, cortex: float) -> np.ndarray:
    """Path length through a hollow bone along a polyline (N, 2) of millimetres, marrow at a quarter."""
    scale = shape[0] / FIELD_MM
    pixels = np.round((points + [FIELD_MM / 2, 0]) * scale * 16).astype(np.int32)
    canvas = np.full(shape, 255, dtype=np.uint8)
    cv2.polylines(canvas, [pixels], False, 0, shift=4)
    distance = cv2.distanceTransform(canvas, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) / scale
    solid = 2 * np.sqrt(np.clip(radius**2 - distance**2, 0, None))
    marrow = 2 * np.sqrt(np.clip((radius - cortex) ** 2 - distance**2, 0, None))
    return solid - 0.75 * marrow


def _ribs(shape: tuple[int, int], body: Body) -> np.ndarray:
    """Ten pairs on tilted ellipses: behind nearly level, in front falling towards the sternum."""
    bone = np.zeros(shape)
    for number in range(10):
        start = body.apex - 2 + body.rib_gap * number
        fall = 16 + 4.5 * number
        reach = float(_outer_wall(start + fall, body)) + 2
        angle = np.radians(np.linspace(8, 142, 90))
        curve = np.stack([reach * np.sin(angle), start + fall * (1 - np.cos(angle))], axis=1)
        for mirror in (1, -1):
            bone += _tube(curve * [mirror, 1], shape, 5.2, 1.1)
    return bone


def _clavicles(shape: tuple[int, int], body: Body) -> np.ndarray:
    across = np.linspace(17, 140, 80)
    height = body.apex + 34 - 0.16 * across + 5 * np.sin((across - 14) / 22)
    return sum(_tube(np.stack([side * across, height], axis=1), shape, 6.0, 2.2) for side in (1, -1))


def _spine(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Vertebral bodies with their end plates, every 24 mm."""
    disc = np.abs(((y / 24) % 1) - 0.5) * 2
    return 11 * np.sqrt(np.clip(1 - (x / 19) ** 2, 0, None)) * (0.75 + 0.25 * (disc < 0.8))


def _vessels(random: np.random.Generator, size: int) -> np.ndarray:
    """Path length through vessels that branch from both hila."""
    scale = size / FIELD_MM
    canvases: dict[float, np.ndarray] = {}
    branches = [(side, 34.0, 0.44 * FIELD_MM, angle, 2.4) for side in (1, -1) for angle in np.linspace(-1.3, 1.4, 5)]
    while branches:
        side, x, y, angle, radius = branches.pop()
        reach = random.uniform(8, 16) + 4 * radius
        end = x + reach * np.cos(angle), y + reach * np.sin(angle)
        points = np.array([[side * px + FIELD_MM / 2, py] for px, py in ((x, y), end)])
        pixels = np.round(points * scale * 16).astype(np.int32)
        canvas = canvases.setdefault(round(radius, 1), np.zeros((size, size), dtype=np.uint8))
        cv2.line(canvas, pixels[0], pixels[1], 255, max(1, round(1.6 * radius * scale)), cv2.LINE_AA, shift=4)
        if radius > 0.45:
            for turn in random.normal([-0.35, 0.35], 0.2):
                branches.append((side, *end, angle + turn, radius * random.uniform(0.55, 0.85)))
    length = np.max([canvas * np.float32(7 * radius / 255) for radius, canvas in canvases.items()], axis=0)
    return cv2.GaussianBlur(length, (0, 0), 0.8 * scale)


def _expose(attenuation: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Detector exposure with scatter, blur and quantum noise, shown as a film, bone bright."""
    pixel = FIELD_MM / len(attenuation)
    primary = np.exp(-attenuation)
    scatter = SCATTER_FRACTION * cv2.GaussianBlur(np.minimum(primary, 0.3), (0, 0), 25 / pixel)
    photons = PHOTONS_PER_MM2 * pixel**2 * cv2.GaussianBlur(primary + scatter, (0, 0), 0.35 / pixel)
    density = -np.log(np.maximum(random.poisson(photons), 1) / (PHOTONS_PER_MM2 * pixel**2))
    low, high = 0.9, float(np.percentile(density, 99.5))
    shown = np.clip((density - low) / (high - low), 0, 1) ** 0.75
    return shown.astype(np.float32)


def _with_marker(image: np.ndarray) -> np.ndarray:
    """Lay the lead letter L beside the patient's left shoulder."""
    scale = len(image) / FIELD_MM
    marker = np.zeros(image.shape, dtype=np.uint8)
    place, width = (round(336 * scale), round(28 * scale)), max(1, round(2 * scale))
    cv2.putText(marker, "L", place, cv2.FONT_HERSHEY_SIMPLEX, 0.7 * scale, 255, width)
    return np.maximum(image, 0.97 * (marker > 0)).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw a synthetic chest film; the ending chooses PNG or DICOM.")
    parser.add_argument("path", type=Path, help="film.png or film.dcm")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=1024, help="side in pixels")
    parser.add_argument("--no-pneumothorax", action="store_true")
    options = parser.parse_args()
    side = None if options.no_pneumothorax else Laterality.LEFT
    image = draw_phantom(options.seed, options.size, side).image
    options.path.write_bytes(to_dicom(image) if options.path.suffix.lower() == ".dcm" else to_png(image))


if __name__ == "__main__":
    main()
