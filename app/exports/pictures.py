"""Film with overlay, and mask, as PNG; both say in text chunks where they come from."""

import io
import zlib
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from app.analysis.language import tr
from app.exports.exported_study import ExportedStudy
from app.segmentation.notice import NOTICE
from app.studies.resizing import resized

FONTS = Path(__file__).with_name("fonts")
MARK = (255, 182, 61)
"""RGB of what is marked: `--mark` of static/pleura.css."""

OPACITY = 0.25
LARGEST_SIDE = 2048
"""Of a picture to look at; the mask keeps the film's own pixels."""


def overlay_png(exported: ExportedStudy) -> bytes:
    """Draw the film with what is marked on it, above a legend."""
    return _png(Image.fromarray(draw_with_legend(exported)), exported)


def mask_png(exported: ExportedStudy) -> bytes:
    """Encode the mask, 0 and 255, in the film's pixels as stored."""
    return _png(Image.fromarray(exported.mask.astype(np.uint8) * 255), exported)


def draw_with_legend(exported: ExportedStudy) -> np.ndarray:
    """Draw the overlay with a strip of text under the film, so that none covers it: uint8 (h, w, 3)."""
    film = draw_overlay(exported)
    return np.concatenate([film, _legend(exported, film.shape[1])])


def draw_overlay(exported: ExportedStudy) -> np.ndarray:
    """Draw the film with what is marked: uint8 (h, w, 3), no side longer than `LARGEST_SIDE`."""
    scale = min(1.0, LARGEST_SIDE / max(exported.film.shape))
    film = cv2.resize(exported.film, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    picture = cv2.cvtColor(film, cv2.COLOR_GRAY2RGB)
    height, width = film.shape
    marked = resized(exported.mask, (height, width))
    picture[marked] = np.round((1 - OPACITY) * picture[marked] + OPACITY * np.array(MARK)).astype(np.uint8)
    outlines, _ = cv2.findContours(marked.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    thickness = max(1, round(max(film.shape) / 1000))  # no wider: the pleural line must stay visible
    return cv2.drawContours(picture, outlines, -1, MARK, thickness, cv2.LINE_AA)


def _legend(exported: ExportedStudy, width: int) -> np.ndarray:
    """Write what the colour means, and what every export says."""
    size = max(11, width // 72)
    margin = size
    found = exported.headline
    if exported.chance:
        found = tr("{finding}, probability {chance}", finding=found, chance=exported.chance)
    paragraphs = [(exported.warning, MARK)] if exported.warning else []
    paragraphs += [
        (f"■ {exported.marking}" if exported.mask.any() else exported.marking, MARK),
        (f"{found} · {tr('model {model}, SHA-256 {hash}', **exported.maker)}", (232, 238, 242)),
        (tr(NOTICE), (232, 238, 242)),
    ]
    lines = [(line, colour) for text, colour in paragraphs for line in _wrapped(text, _font(size), width - 2 * margin)]
    step = round(1.4 * size)
    strip = Image.new("RGB", (width, step * len(lines) + 2 * margin), (10, 14, 18))
    draw = ImageDraw.Draw(strip)
    for number, (line, colour) in enumerate(lines):
        draw.text((margin, margin + number * step), line, font=_font(size), fill=colour)
    return np.asarray(strip)


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    lines = [""]
    for word in text.split(" "):  # a figure and its sign come joined by no-break spaces
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONTS / "DejaVuSans.ttf", size)


def _png(picture: Image.Image, exported: ExportedStudy) -> bytes:
    texts = PngInfo()
    texts.add_text("Software", "Pleura")
    texts.add_text("Source", f"{exported.model_name}, SHA-256 {exported.hash_prefix}")
    texts.add_text("Description", f"{exported.warning} {exported.conclusion}. {exported.marking}.".lstrip())
    texts.add_text("Disclaimer", tr(NOTICE))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", pnginfo=texts, compress_level=zlib.Z_BEST_SPEED)
    return buffer.getvalue()
