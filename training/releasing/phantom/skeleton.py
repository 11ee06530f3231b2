"""The bones of a synthetic chest as path lengths through bone: cortex whole, marrow a quarter.

What lies behind is shown larger than what lies in front: the source stands 1.8 m away, and the chest against the
detector (a PA film).
"""

import numpy as np

from training.releasing.phantom.body import Body, along, ellipsoid

SOURCE_MM = 1800.0
VERTEBRA_MM = 22.5


def skeleton(x: np.ndarray, y: np.ndarray, body: Body, random: np.random.Generator) -> np.ndarray:
    """Path length through all bones of a film."""
    return ribs(x.shape, body, random) + girdle(x, y, body, random) + spine(x, y, body)


def hollow(
    points: np.ndarray,
    shape: tuple[int, int],
    half: float | np.ndarray,
    depth: float | np.ndarray,
    cortex: float,
    weight: float | np.ndarray = 1.0,
    flat: bool = False,
) -> np.ndarray:
    """Path length through a hollow bone along a polyline.

    Args:
        points: (N, 2) in millimetres.
        shape: Of the film.
        half: Half its height on the film, at each point.
        depth: Its extent along the beam, at each point.
        cortex: Thickness of its cortex.
        weight: Factor at each point.
        flat: Whether its ends are cut off square.
    """
    window, distance, nearest = along(points, shape, float(np.max(half)) + 1, flat=flat)
    count = np.arange(len(points))
    half, depth, weight = (np.interp(nearest, count, np.broadcast_to(v, len(points))) for v in (half, depth, weight))
    solid = depth * np.sqrt(np.clip(1 - (distance / half) ** 2, 0, None))
    inner = np.maximum(half - cortex, 0.1)
    marrow = np.clip(depth - 2 * cortex, 0, None) * np.sqrt(np.clip(1 - (distance / inner) ** 2, 0, None))
    bone = np.zeros(shape, np.float32)
    bone[window] = weight * (solid - 0.75 * marrow)
    return bone


def ribs(shape: tuple[int, int], body: Body, random: np.random.Generator) -> np.ndarray:
    """Ten pairs: flat bands that leave the spine behind, turn at the chest wall, and fall towards the sternum."""
    bone = np.zeros(shape, np.float32)
    for number in range(10):
        start = body.apex - 8 + (VERTEBRA_MM + 0.25 * number) * number + random.normal(0, 0.7)
        fall = 58 + 10.0 * min(number, 6) - 5 * max(number - 6, 0)
        reach = float(body.outer_wall(start + 0.42 * fall)) + 3
        last = np.radians([158, 152, 146, 143, 140, 136, 128, 118, 106, 96][number] + random.normal(0, 2))
        angle = np.linspace(np.arcsin(min((15 / reach) ** (1 / 0.8), 0.9)), last, 160)
        behind = np.cos(angle)  # 1 at the spine, -1 at the sternum
        across = reach * np.abs(np.sin(angle)) ** 0.8
        down = start + fall * (1 - behind) / 2 - 6 * np.sin(2 * angle).clip(0)
        larger = 1 + (0.55 * body.depth * behind) / SOURCE_MM * 2
        face = np.abs(behind)
        half = 6.0 * face + 3.8 * (1 - face) + 1.6 * np.clip(-behind, 0, 1) ** 2
        depth = np.minimum(7.5 / np.maximum(face, 0.22), 15)
        weight = (
            np.clip((last - angle) / 0.15, 0, 1)
            * np.clip((across - 14) / 12, 0, 1)
            * (0.7 + 0.5 * np.clip(behind, 0, 1))
        )
        turn = int(np.argmax(angle > np.pi / 2))
        for mirror in (1, -1):
            drop = random.normal(0, 1.2) + random.normal(0, 3) * (1 - behind) / 2
            line = np.stack([mirror * across * larger, 190 + (down + drop - 190) * larger], axis=1)
            for part in (slice(None, turn + 1), slice(turn, None)):
                bone += hollow(line[part], shape, half[part], depth[part], 1.1, weight[part], flat=True)
    return bone


def girdle(x: np.ndarray, y: np.ndarray, body: Body, random: np.random.Generator) -> np.ndarray:
    """Clavicles, scapulae and the upper ends of both arms."""
    bone = np.zeros(x.shape, np.float32)
    rise = random.uniform(34, 52)
    for side in (1, -1):
        tilt = random.normal(0, 3)
        across = np.linspace(17, body.chest + 20, 80)
        part = (across - 17) / (body.chest + 3)
        height = body.apex + 50 + tilt - rise * part**0.9 + 7 * np.sin(2 * np.pi * part) * (1 - 0.3 * part)
        half = 5.6 + 2.4 * np.clip(1 - 5 * part, 0, 1) + 1.5 * np.clip(5 * part - 4, 0, 1)
        bone += hollow(np.stack([side * across, height], 1), x.shape, half, 10.5, 1.6)
        joint = np.array([side * (body.chest + 14), height[-1] + 30])
        bone += _scapula(x, y, side, joint, body)
        away = np.hypot(x - joint[0] - side * 22, y - joint[1] - 4)
        whole, marrow = (np.sqrt(np.clip(1 - (away / radius) ** 2, 0, None)) for radius in (24, 23))
        head = 20 * (whole - 0.8 * marrow)
        shaft = _dense(np.array([joint + [side * 24, 12], joint + [side * 38, 46], joint + [side * 72, 128]]))
        fade = np.clip(np.linspace(-0.2, 3, 40), 0, 1)
        bone += np.maximum(head, hollow(shaft, x.shape, np.linspace(15, 9.5, 40), 20, 2.6, fade))
    return bone


def _scapula(x: np.ndarray, y: np.ndarray, side: int, joint: np.ndarray, body: Body) -> np.ndarray:
    """Thin blade with its borders, spine with acromion, coracoid process and socket."""
    tip = np.array([side * (body.chest + 2), joint[1] + 92])
    inner = np.array([side * (body.chest - 34), joint[1] - 2])
    border = _dense(np.array([joint + [-side * 4, 12], tip + [side * 10, -40], tip]))
    lateral = hollow(border, x.shape, np.linspace(4, 2.2, 40), np.linspace(10, 3, 40), 1.2)
    medial = hollow(_dense(np.array([inner, inner + [side * 8, 46], tip])), x.shape, 1.6, 3, 1.0)
    acromion = _dense(np.array([inner + [0, 14], joint + [-side * 22, -18], joint + [side * 12, -30]]))
    ridge = hollow(acromion, x.shape, 4.5, 7, 1.2)
    coracoid = ellipsoid(x - joint[0] + side * 16, y - joint[1] + 14, (9, 7, 7)) - 0.6 * ellipsoid(
        x - joint[0] + side * 16, y - joint[1] + 14, (7.4, 5.4, 7)
    )
    turn = side * 0.12
    socket = ellipsoid(x - joint[0], y - joint[1], (7.5, 19, 9), turn) - ellipsoid(
        x - joint[0], y - joint[1], (5.8, 17, 8.2), turn
    )
    triangle = np.stack([joint, tip, inner])
    return lateral + medial + ridge + coracoid + socket + 1.6 * _inside(x, y, triangle)


def _inside(x: np.ndarray, y: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Whether each pixel lies in a triangle, with soft edges."""
    inside = np.full(x.shape, np.inf)
    middle = corners.mean(axis=0)
    for first, second in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = (second - first) / np.hypot(*(second - first))
        from_line = (x - first[0]) * along[1] - (y - first[1]) * along[0]
        sign = np.sign((middle[0] - first[0]) * along[1] - (middle[1] - first[1]) * along[0])
        inside = np.minimum(inside, sign * from_line)
    return np.clip(inside / 2 + 0.5, 0, 1)


def _dense(corners: np.ndarray, count: int = 40) -> np.ndarray:
    """A smooth line through three points (quadratic Bézier through the middle one)."""
    first, middle, last = corners
    control = 2 * middle - (first + last) / 2
    part = np.linspace(0, 1, count)[:, None]
    return (1 - part) ** 2 * first + 2 * part * (1 - part) * control + part**2 * last


def spine(x: np.ndarray, y: np.ndarray, body: Body) -> np.ndarray:
    """Vertebral bodies with end plates, pedicles, spinous and transverse processes, one below the other."""
    pitch = VERTEBRA_MM + 0.012 * (y - body.apex)
    number = (y - body.apex + 6) / pitch
    below = (number - np.floor(number) - 0.5) * pitch  # from the middle of its vertebra
    width = 15.5 + 0.012 * np.clip(y, 0, None)
    waist = width - 1.8 * (1 - (2 * below / pitch) ** 2)
    side = np.sqrt(np.clip(1 - (x / waist) ** 6, 0, None))
    plate = np.clip((0.5 * pitch - 2.3 - np.abs(below)) / 0.8, 0, 1)
    edge = 0.7 * (np.abs(below) > 0.5 * pitch - 3.4) + 0.8 * (np.abs(x) > waist - 1.6)
    body_bone = side * (4 + plate * (2 + 1.8 * edge))
    across = np.abs(x)
    ring = ellipsoid(across - 11.5, below + 3, (4.2, 5.6, 7)) - 0.8 * ellipsoid(across - 11.5, below + 3, (3.0, 4.3, 7))
    process = ellipsoid(x, below - 6, (2.6, 8, 9)) - 0.5 * ellipsoid(x, below - 6, (1.5, 6.6, 9))
    wings = ellipsoid(across - 24, below + 4, (13, 4.0, 5)) - 0.5 * ellipsoid(across - 24, below + 4, (12, 2.8, 5))
    return (body_bone + 0.7 * ring + 0.6 * process + 0.7 * wings).astype(np.float32)
