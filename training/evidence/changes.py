"""What may happen to a film on its way from another machine or archive; its mask goes along."""

import io
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian

from app.segmentation.reading.image_io import read_radiograph
from training.data.augmentation import jpeg_round_trip

NOISE = 0.05
"""Standard deviation of the added noise, as a share of the full grey scale."""

Film = tuple[np.ndarray, np.ndarray]
"""Image, float32 (H, W) in [0, 1], and mask, bool (H, W)."""


def _grey(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray, np.ndarray], Film]:
    """A change of grey levels alone, stored in 8 bits again."""

    def changed(image: np.ndarray, mask: np.ndarray) -> Film:
        return np.rint(np.clip(change(image), 0, 1) * 255).astype(np.float32) / 255, mask

    return changed


def crop(image: np.ndarray, mask: np.ndarray) -> Film:
    """Cut away the outer 5 % at every edge."""
    height, width = image.shape
    top, left = round(0.05 * height), round(0.05 * width)
    inner = np.s_[top : height - top, left : width - left]
    return np.ascontiguousarray(image[inner]), np.ascontiguousarray(mask[inner])


def rotate(image: np.ndarray, mask: np.ndarray, degrees: float) -> Film:
    """Turn a film about its centre, counter-clockwise; the corners that come into view are black."""
    height, width = image.shape
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    turned = cv2.warpAffine(image, turn, (width, height), flags=cv2.INTER_LINEAR)
    turned_mask = cv2.warpAffine(mask.astype(np.float32), turn, (width, height), flags=cv2.INTER_LINEAR) >= 0.5
    return np.clip(turned, 0, 1), turned_mask


def halve_resolution(image: np.ndarray) -> np.ndarray:
    """Store a film in half as many rows and columns, and enlarge it to its old size."""
    height, width = image.shape
    small = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def add_noise(image: np.ndarray) -> np.ndarray:
    """Add Gaussian noise, the same to every film."""
    return image + NOISE * np.random.default_rng(0).standard_normal(image.shape, dtype=np.float32)


def through_monochrome1(image: np.ndarray) -> np.ndarray:
    """Store a film as inverted DICOM (MONOCHROME1, PS3.3 C.7.6.3.1.2), and read it as the application does."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = ComputedRadiographyImageStorage, "1.2.3"
    dataset.Modality, dataset.PhotometricInterpretation, dataset.SamplesPerPixel = "CR", "MONOCHROME1", 1
    dataset.Rows, dataset.Columns = image.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dataset.PixelData = (255 - np.rint(image * 255).astype(np.uint8)).tobytes()
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return read_radiograph(file.getvalue()).image


CHANGES: dict[str, Callable[[np.ndarray, np.ndarray], Film]] = {
    "JPEG at quality 50": _grey(partial(jpeg_round_trip, quality=50)),
    "90 % crop": crop,
    "10 % brighter": _grey(lambda image: image * 1.1),
    "10 % darker": _grey(lambda image: image * 0.9),
    "20 % brighter": _grey(lambda image: image * 1.2),
    "20 % darker": _grey(lambda image: image * 0.8),
    "rotated by +10°": partial(rotate, degrees=10),
    "rotated by -10°": partial(rotate, degrees=-10),
    "half the resolution": _grey(halve_resolution),
    "5 % noise": _grey(add_noise),
    "inverted, corrected": _grey(through_monochrome1),
    "inverted, not corrected": _grey(lambda image: 1 - image),
}
"""By name; each takes image and mask, and returns both. Brighter films lose the levels that no longer fit."""
