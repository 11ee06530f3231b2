"""An ordinary film, and for each doubt one that gives it."""

import cv2
import numpy as np

from app.segmentation.reading.radiograph import Radiograph
from training.releasing.phantom.drawing import draw_phantom


def turned_by(image: np.ndarray, degrees: float) -> np.ndarray:
    """Turn a film about its centre, its outermost pixels spreading into the corners."""
    height, width = image.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)


IMAGE = draw_phantom(seed=2, size=512).image

FILM = Radiograph(IMAGE, "PNG")

DOUBTED = {
    "not_frontal": {"view_position": "LL"},
    "not_chest": {"body_part": "HAND"},
    "unknown_modality": {"source_format": "DICOM", "modality": "SC"},
    "for_processing": {"is_for_processing": True},
    "under_18": {"age_years": 17.9},
    "age_outside_training": {"age_years": 88.0},
    "doubtful_pixel_spacing": {"pixel_spacing_mm": (0.1, 0.1)},
    "burned_in_text": {"has_burned_in_text": True},
    "low_resolution": {"image": cv2.resize(IMAGE, (500, 500))},
    "unusual_aspect_ratio": {"image": cv2.resize(IMAGE, (600, 1000))},
    "colour_image": {"is_colour": True},
    "low_contrast": {"image": 0.4 + 0.2 * IMAGE},
    "clipped": {"image": np.clip(1.6 * IMAGE, 0, 1)},
    "unusual_exposure": {"image": IMAGE**5},
    "inverted_corrected": {"was_inverted": True},
    "inverted_suspected": {"image": 0.95 * (1 - IMAGE)},
    "turned": {"image": np.rot90(IMAGE)},
    "tilted": {"image": turned_by(IMAGE, 22)},
}
"""For each doubt of the core, a film that gives it and no other."""
