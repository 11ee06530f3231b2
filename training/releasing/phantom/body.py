"""The soft parts of a synthetic chest as path lengths: lungs, heart, airways, trunk, shoulders and arms.

Coordinates are millimetres on the detector: x from the midline, to the picture's right (the patient's left); y from
the upper edge. Path lengths are millimetres along the beam, which is taken as parallel but for bones (`skeleton.py`).
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

FIELD_MM = 380.0
"""Side of the detector."""


@dataclass(frozen=True)
class Body:
    """The proportions of one synthetic patient, in millimetres.

    Attributes:
        chest: Half the inner width of the chest, at its base.
        apex: Where the lungs begin.
        base: Where the posterior costophrenic recesses end.
        domes: Heights of the diaphragm on the patient's right and left.
        depth: Half the inner depth of the chest.
        heart: Half the heart's length.
        wall: Thickness of muscle and fat beside the chest.
        breasts: How far breasts are developed, from 0 to 1.
    """

    chest: float
    apex: float
    base: float
    domes: tuple[float, float]
    depth: float
    heart: float
    wall: float
    breasts: float

    @classmethod
    def draw(cls, random: np.random.Generator) -> "Body":
        apex, right = random.uniform(52, 64), random.uniform(252, 264)
        return cls(
            chest=random.uniform(124, 138),
            apex=apex,
            base=right + random.uniform(46, 54),
            domes=(right, right + random.uniform(7, 14)),
            depth=random.uniform(78, 90),
            heart=random.uniform(60, 70),
            wall=random.uniform(26, 42),
            breasts=random.uniform(0, 0.8),
        )

    def descent(self, y: np.ndarray | float) -> np.ndarray:
        """How far down the chest a height lies: 0 at the apex, 1 at the base."""
        return np.clip((y - self.apex) / (self.base - self.apex), 1e-6, 1)

    def outer_wall(self, y: np.ndarray | float) -> np.ndarray:
        """Half the inner width of the chest at a height."""
        return 56 + (self.chest - 56) * (1 - (1 - self.descent(y)) ** 3.2) ** 0.62

    def inner_wall(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """How far the middle of the chest reaches to each side: the lungs' inner border, and their domes'."""
        dome = np.sqrt(1 - np.clip(1 - (y - self.apex) / 42, 0, 1) ** 2)
        return 56 - (37 + 2.5 * np.sin(y / 19 + (x > 0)) + 1.2 * np.sin(y / 8 - (x > 0))) * dome


def ellipsoid(x: np.ndarray, y: np.ndarray, axes: tuple[float, float, float], tilt: float = 0.0) -> np.ndarray:
    """Path length through an ellipsoid; `axes` are its two semi-axes on the film and its depth."""
    along, across = x * np.cos(tilt) + y * np.sin(tilt), y * np.cos(tilt) - x * np.sin(tilt)
    return axes[2] * np.sqrt(np.clip(1 - (along / axes[0]) ** 2 - (across / axes[1]) ** 2, 0, None))


def along(
    points: np.ndarray, shape: tuple[int, int], margin: float, *, flat: bool = False
) -> tuple[tuple[slice, slice], np.ndarray, np.ndarray]:
    """Measure the pixels around a polyline.

    Args:
        points: (N, 2) in millimetres.
        shape: Of the film.
        margin: How far from the line pixels are of interest, in millimetres.
        flat: Cut the line off square at both ends: what lies beyond is infinitely far.

    Returns:
        Which part of the film was measured; the distance of its pixels from the line in millimetres; the index,
        a fraction between points, of the place on the line that is nearest.
    """
    scale = shape[0] / FIELD_MM
    steps = np.r_[0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
    dense = np.linspace(0, steps[-1], int(steps[-1] * scale * 1.5) + 2)
    place = np.stack([np.interp(dense, steps, points[:, axis]) for axis in (0, 1)], axis=1)
    pixels = (place + [FIELD_MM / 2, 0]) * scale - 0.5
    low = np.maximum(np.floor(pixels.min(axis=0) - margin * scale), 0).astype(int)
    high = np.minimum(np.ceil(pixels.max(axis=0) + margin * scale) + 1, shape[::-1]).astype(int)
    window = slice(low[1], max(low[1], high[1])), slice(low[0], max(low[0], high[0]))
    local = np.round(pixels).astype(int) - low
    seen = ((local >= 0) & (local < high - low)).all(axis=1)
    if not seen.any():
        return (slice(0, 0), slice(0, 0)), np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32)
    local, index = local[seen], np.interp(dense[seen], steps, np.arange(len(points)))
    canvas = np.full((high - low)[::-1], 255, np.uint8)
    canvas[local[:, 1], local[:, 0]] = 0
    distance, labels = cv2.distanceTransformWithLabels(canvas, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    of_label = np.zeros(labels.max() + 1, np.float32)
    of_label[labels[local[:, 1], local[:, 0]]] = index
    nearest, distance = of_label[labels], distance / np.float32(scale)
    if flat:
        _cut_off(distance, nearest, pixels - low, len(points) - 1)
    return window, distance, nearest


def _cut_off(distance: np.ndarray, nearest: np.ndarray, line: np.ndarray, last: int) -> None:
    rows, columns = np.indices(distance.shape, dtype=np.float32)
    for end, before, number in ((line[-1], line[-3], last), (line[0], line[2], 0)):
        past = (columns - end[0]) * (end[0] - before[0]) + (rows - end[1]) * (end[1] - before[1])
        distance[(past > 0) & (np.abs(nearest - number) < 1)] = np.inf


def tube(points: np.ndarray, shape: tuple[int, int], radius: float | np.ndarray) -> np.ndarray:
    """Path length through a solid tube along a polyline (N, 2); its radius may change from point to point."""
    window, distance, nearest = along(points, shape, float(np.max(radius)) + 1)
    radii = np.interp(nearest, np.arange(len(points)), np.broadcast_to(radius, len(points)))
    length = np.zeros(shape, np.float32)
    length[window] = 2 * np.sqrt(np.clip(radii**2 - distance**2, 0, None))
    return length


def heart(x: np.ndarray, y: np.ndarray, body: Body) -> np.ndarray:
    """Path length through heart and great vessels, where they stand out of the middle."""
    middle, arch = body.domes[0] - 26, body.apex + 88
    parts = [
        ellipsoid(x - body.heart + 34, y - middle - 6, (body.heart, 37, 2 * 50), tilt=0.68),  # left ventricle
        ellipsoid(x - 14, y - middle + 28, (34, 46, 80), tilt=-0.35),  # outflow tract and left atrium
        ellipsoid(x + 4, y - middle - 2, (34, 50, 80)),  # right atrium
        ellipsoid(x - 16, y - arch, (19, 20, 90)),  # aortic knob
        ellipsoid(x - 19, y - arch - 36, (19, 26, 66)),  # pulmonary trunk
        tube(np.array([[-19.0, body.apex + 30], [-20, middle - 40], [-18, middle]]), x.shape, 11),  # vena cava
        tube(np.array([[17.0, arch], [19, arch + 50], [12, middle + 30], [6, body.base]]), x.shape, 13),  # aorta
    ]
    return (sum(part**4 for part in parts) ** (1 / 4)).astype(np.float32)


def lungs(x: np.ndarray, y: np.ndarray, body: Body) -> np.ndarray:
    """Path length through both lungs."""
    across, outer, inner = np.abs(x), body.outer_wall(y), body.inner_wall(x, y)
    depth = body.depth * (1 - (1 - body.descent(y)) ** 2.6) ** 0.5
    cavity = depth * np.clip(1 - (across / outer) ** 2.4, 0, None) ** (1 / 2.2)  # to the front and to the back
    dome = np.where(x < 0, body.domes[0], body.domes[1])
    dome = dome + 24 * (np.abs(across - 0.5 * body.chest) / (0.5 * body.chest)) ** 2.2
    under = np.sqrt(np.clip((y - dome) / 52, 0, None))  # how far the diaphragm reaches from its top to front and back
    middle = -0.15 * depth
    front = np.clip(np.minimum(cavity, middle - 2.6 * depth * under) + cavity, 0, None)
    back = np.clip(cavity - np.maximum(-cavity, middle + 1.25 * depth * under), 0, None)
    step = np.clip((across - inner) / 11, 0, 1)
    edge = step**2 * (3 - 2 * step) * np.clip((body.base - y) / 10, 0, 1)
    middle = heart(x, y, body) / 2
    free = np.clip(front - middle, 0, None) + np.clip(back - middle * np.clip(1 - 3 * under, 0, 1), 0, None)
    return free * edge


def collapsed(x: np.ndarray, y: np.ndarray, body: Body, widest: float) -> np.ndarray:
    """How deep each pixel lies in lungs that have drawn back from the wall, in millimetres; negative in the gap.

    The gap is as wide as `widest` at the apex, narrower along the side, and ends at two thirds of the height.
    """
    end = body.apex + 0.64 * (body.base - body.apex)
    part = np.clip((y - body.apex) / (end - body.apex), 0, 1)
    lower = replace(body, apex=body.apex + widest)
    drawn_back = (body.outer_wall(y) - lower.outer_wall(y)) * (1 - part) + 0.42 * widest * (1 - part**2)
    across = np.abs(x)
    inside = (across < body.outer_wall(y) - drawn_back) & (y > lower.apex)
    inside &= (across > lower.inner_wall(x, y)) | (y > lower.apex + 42)
    both = [
        cv2.distanceTransform(half.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for half in (inside, ~inside)
    ]
    return cv2.GaussianBlur(both[0] - both[1], (0, 0), 3 / FIELD_MM * len(x)) * FIELD_MM / len(x)


def airways(x: np.ndarray, body: Body) -> np.ndarray:
    """Path length through the air in trachea and main bronchi."""
    carina = np.array([3.0, body.apex + 104])
    trachea = tube(np.array([[0.0, -10], [0, body.apex], [-1, body.apex + 60], carina]), x.shape, 8.5)
    right = tube(np.array([carina, [-16, carina[1] + 16], [-36, carina[1] + 40]]), x.shape, np.array([7.5, 7, 5]))
    left = tube(np.array([carina, [22, carina[1] + 16], [44, carina[1] + 32]]), x.shape, np.array([7, 6, 4.5]))
    return np.maximum.reduce([trachea, 0.8 * right, 0.7 * left])


def soft_tissue(x: np.ndarray, y: np.ndarray, body: Body) -> np.ndarray:
    """Path length through neck, shoulders, trunk, breasts and arms, as if the lungs were solid."""
    across = np.abs(x)
    width = body.chest + body.wall + 6 * np.sin((y - 150) / 60) + 55 / (1 + np.exp((y - 128) / 11))
    top = -34 + 44 * _smooth(across, 60, 26) + 58 * np.clip((across - 52) / 130, 0, 1) ** 0.9
    top = top + 0.012 * np.clip(across - 165, 0, None) ** 2
    trunk = 2 * (body.depth + 26) * np.sqrt(np.clip(1 - (across / width) ** 2.6, 0, None))
    trunk *= np.clip((y - top) / 190, 0, 1) ** 0.55
    neck = 112 * np.sqrt(np.clip(1 - (across / (54 + 0.1 * y)) ** 2, 0, None)) * (1 - _smooth(y, 62, 60))
    arm = np.array([[90.0, 108], [150, 108], [178, 140], [215, 225]])
    arms = sum(tube(arm * [side, 1], x.shape, np.array([24, 46, 48, 44])) for side in (1, -1))
    whole = (trunk**4 + neck**4 + arms**4) ** 0.25
    breasts = sum(
        ellipsoid(x - side * 78, y - body.domes[0] + 6, (58, 50, 46 * body.breasts))
        * _smooth(y, body.domes[0] - 20, 34)
        for side in (1, -1)
    )
    pectorals = sum(ellipsoid(x - side * 92, y - 138, (74, 62, 20), tilt=-side * 0.5) for side in (1, -1))
    gas = sum(
        ellipsoid(x - 56 - dx, y - body.domes[1] - dy, axes)
        for dx, dy, axes in ((0, 18, (17, 8, 26)), (11, 22, (13, 9, 20)), (38, 44, (10, 8, 16)), (29, 50, (9, 10, 14)))
    )
    return np.clip(whole + breasts + pectorals - gas, 0, None)


def _smooth(y: np.ndarray, middle: float, width: float) -> np.ndarray:
    return 1 / (1 + np.exp(-4 * (y - middle) / width))
