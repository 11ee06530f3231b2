"""Greys and masks in other rows and columns."""

import cv2
import numpy as np


def resized(pixels: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Bring a film, a map or masks, (H, W) or (H, W, n), to other rows and columns."""
    if shape == pixels.shape[:2]:
        return pixels
    if pixels.dtype == bool:
        return _mask_resized(pixels, shape)
    shrinks = shape[0] * shape[1] < pixels.shape[0] * pixels.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(pixels, shape[::-1], interpolation=how).reshape(*shape, *pixels.shape[2:])


def _mask_resized(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Repeat what is marked, or mark what any marked pixel falls into: a pleural line may be one pixel wide."""
    for axis, count in enumerate(shape):
        starts = np.arange(count) * mask.shape[axis] // count
        mask = np.logical_or.reduceat(mask, starts, axis=axis)  # of equal starts it takes the pixel itself
    return mask
