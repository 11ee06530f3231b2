"""Words of a header as departments write them: any case, any accent, any separator, any language."""

import re
import unicodedata

ACCENT = re.compile("[\u0300-\u036f]")
WITHOUT_STROKE = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae"})

SAYS_NOTHING = frozenset(
    """
    UNKNOWN UNKN UNK UNDEFINED UNDEF UNSPECIFIED UNSPEC UNASSIGNED UNUSED DEFAULT DEFAULTS NONE NULL NIL NA
    NAN NO NOT N A S VALUE SPECIFIED AVAILABLE APPLICABLE ANY ALL OTHER OTHERS MISC MISCELLANEOUS VARIOUS VARIA
    GENERAL GENERIC STANDARD NORMAL USER DEFINED CUSTOM TEST DEMO BODY PART BODYPART EXAMINED PATIENT REGION ORGAN
    ANATOMY EXAM EXAMINATION STUDY SERIES IMAGE IMAGES FILM PROJECTION VIEW RADIOGRAPH RADIOGRAPHY RADIOGRAPHIC
    RADIOLOGY RAD XRAY X RAY XR DX CR DR RG RX RTG DIGITAL DDR DIRECT COMPUTED PORTABLE MOBILE BEDSIDE STATIC EMPTY
    BLANK XX XXX TBD TBA ADULT PED PEDIATRIC INFANT CHILD AP PA FRONTAL SUPINE ERECT UPRIGHT STANDING LEFT RIGHT
    BOTH UNPAIRED UNBEKANNT KEINE ANGABE SONSTIGE SONSTIGES ANDERE INCONNU INCONNUE AUTRE AUTRES DESCONOCIDO OTRO OTROS
    SCONOSCIUTO ALTRO DESCONHECIDO OUTRO OUTROS ONBEKEND OVERIG ANDERS NIEZNANY INNE INNY NEZNAMY NEZNAMA JINE OKAND
    OKANT UKENDT UKJENT TUNTEMATON MUU ISMERETLEN EGYEB NECUNOSCUT NEPOZNATO BILINMEYEN DIGER ROENTGEN RONTGEN
    НЕИЗВЕСТНО НЕИЗВЕСТНЫЙ НЕТ ДРУГОЕ ΑΓΝΩΣΤΟ ΑΛΛΟ 不明 未知 未定義 未定义 その他 其他 なし 无 無 기타 미정
    """.split()
)
"""Words that stand where a value should, and say of the film only what every film is."""


def normalised(text: str) -> str:
    """Spell a text in capitals without accents, with one blank between words."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not ACCENT.match(c))
    plain = unicodedata.normalize("NFC", plain.translate(WITHOUT_STROKE))
    spaced = (c if unicodedata.category(c)[0] in "LMN" else " " for c in plain)
    return " ".join("".join(spaced).split()).upper()


def words(text: str) -> list[str]:
    """The words of a text, normalised, without figures."""
    return re.sub(r"\d+", " ", normalised(text)).split()


def says_something(text: str) -> bool:
    """Whether a text has a word that is no placeholder."""
    return any(word not in SAYS_NOTHING for word in words(text))
