"""Fonts for names in any script of PS3.5's character sets: which has a text's characters, and which to set it in.

DejaVu Sans has the alphabets of Europe, and Arabic and Hebrew; Droid Sans Fallback has Chinese, Japanese and Korean;
of Noto Sans there is a file for each script of South and South East Asia and of Ethiopia.
"""

from functools import cache, lru_cache
from unicodedata import bidirectional

from fontTools.ttLib import TTFont

from app.exports.pictures import FONTS

MAIN = "DejaVuSans"
FALLBACKS = (
    "DroidSansFallback",
    *(f"NotoSans{script}-Regular" for script in ("Thai", "Lao", "Khmer", "Myanmar", "Devanagari", "Bengali")),
    *(f"NotoSans{script}-Regular" for script in ("Gujarati", "Gurmukhi", "Tamil", "Telugu", "Kannada", "Malayalam")),
    *(f"NotoSans{script}-Regular" for script in ("Sinhala", "Ethiopic")),
)
MISSING = "□"
RIGHT_TO_LEFT = ("R", "AL", "AN")
"""Classes of Unicode's bidirectional algorithm."""


def drawable(text: str) -> str:
    """Keep units with their figures, and put a box for what no font has: fpdf would name it in the log."""
    text = text.replace(" %", "\u00a0%").replace(" mm²", "\u00a0mm²")
    return "".join(character if font_with(character) else MISSING for character in text)


def is_drawable(text: str) -> bool:
    """Whether some font has each character of a text."""
    return all(font_with(character) for character in text)


def font_of(text: str) -> str:
    """The font to set a whole text in: joiners must stand in the same one as the letters that they join."""
    if is_plain(text):
        return MAIN
    strange = {character for character in text if ord(character) not in glyphs(MAIN)}
    wanted = {font_with(character) for character in strange} - {""}
    return max(wanted, key=lambda font: sum(ord(character) in glyphs(font) for character in strange), default=MAIN)


def fonts_in(text: str) -> set[str]:
    """All fonts that a text needs."""
    return {font_with(character) for character in set(text)} - {""}


def is_plain(text: str) -> bool:
    """Whether the main font has every character, and setting them from left to right is right."""
    return all(ord(character) in glyphs(MAIN) and bidirectional(character) not in RIGHT_TO_LEFT for character in text)


@lru_cache(maxsize=4096)
def font_with(character: str) -> str:
    """The first font that has a character; "" if none does."""
    return next((font for font in (MAIN, *FALLBACKS) if ord(character) in glyphs(font)), "")


@cache
def glyphs(font: str) -> frozenset[int]:
    """Code points that a font has."""
    with TTFont(FONTS / f"{font}.ttf", lazy=True) as opened:
        return frozenset(opened.getBestCmap())
