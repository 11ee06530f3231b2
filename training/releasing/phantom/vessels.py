"""Vessels of a synthetic lung, branching from both hila, and the fine marking that no single vessel is seen in."""

import cv2
import numpy as np

from training.releasing.phantom.body import FIELD_MM, Body

RADII = np.array([0.35, 0.5, 0.7, 1.0, 1.4, 1.9, 2.6, 3.5, 4.6, 6.0])


def vessels(random: np.random.Generator, size: int, body: Body) -> np.ndarray:
    """Path length through the vessels of both lungs, float32 (size, size)."""
    scale = size / FIELD_MM
    lines: list[list[np.ndarray]] = [[] for _ in RADII]
    for branch in _tree(random, body):
        for start, end, radius in branch:
            lines[int(np.argmin(np.abs(RADII - radius)))].append(np.array([start, end]))
    total = np.zeros((size, size), np.float32)
    for radius, segments in zip(RADII, lines, strict=True):
        width = max(1, round(1.7 * radius * scale))
        canvas = np.zeros((size, size), np.uint8)
        pixels = [np.round((line + [FIELD_MM / 2, 0]) * scale * 16).astype(np.int32) for line in segments]
        cv2.polylines(canvas, pixels, False, 255, width, cv2.LINE_AA, shift=4)
        drawn = canvas * np.float32(2.6 * radius * min(1, 1.7 * radius * scale / width) / 255)
        total += cv2.GaussianBlur(drawn, (0, 0), max(0.3, 0.35 * radius * scale))
    for side, place in _hila(body).items():
        across, down = np.meshgrid(*(np.arange(size) / scale - shift for shift in (FIELD_MM / 2 + place[0], place[1])))
        mass = np.exp(-((np.hypot(across + side * 2, 0.55 * down) / 12) ** 2))
        total += 9 * mass.astype(np.float32)
    return total


def _hila(body: Body) -> dict[int, np.ndarray]:
    return {1: np.array([32.0, body.apex + 116]), -1: np.array([-32.0, body.apex + 126])}


def _tree(random: np.random.Generator, body: Body) -> list[list[tuple[np.ndarray, np.ndarray, float]]]:
    """Branches of both sides, each a list of short pieces (start, end, radius)."""
    waiting = []
    for side, place in _hila(body).items():
        for angle in np.linspace(-1.35, 1.45, 17):
            radius = 2.2 + 2.2 * np.exp(-(((angle - 1.05) / 0.45) ** 2))
            origin = place + random.normal(0, [4, 11])
            waiting.append((side, origin, angle + random.normal(0, 0.12), radius * random.uniform(0.6, 1.0)))
    branches = []
    while waiting:
        side, place, angle, radius = waiting.pop()
        pieces, reach, walked, bend = [], random.uniform(8, 15) + 5 * radius, 0.0, random.normal(0, 0.02)
        while walked < reach:
            step = 3.0
            angle += bend * step + random.normal(0, 0.06)
            end = place + step * np.array([side * np.cos(angle), np.sin(angle)])
            pieces.append((place, end, radius))
            place, walked, radius = end, walked + step, radius * 0.985
        branches.append(pieces)
        if radius > 0.38:
            larger, smaller = random.uniform(0.76, 0.9), random.uniform(0.45, 0.7)
            turn = random.choice([-1, 1]) * random.uniform(0.2, 0.5)
            waiting.append((side, place, angle - 0.35 * turn, radius * larger))
            waiting.append((side, place, angle + 1.3 * turn, radius * smaller))
    return branches


def marking(random: np.random.Generator, size: int) -> np.ndarray:
    """A field of mean 0 and deviation 1, as lung, fat and muscle have: finer structures are fainter."""
    field = np.zeros((size, size), np.float32)
    for wavelength, weight in ((1.4, 0.35), (2.2, 0.45), (3.5, 0.5), (7.0, 0.6), (15.0, 0.8), (32.0, 1.0)):
        side = max(4, round(FIELD_MM / wavelength))
        grid = random.normal(size=(side, side)).astype(np.float32)
        field += weight * cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)
    return field / field.std()
