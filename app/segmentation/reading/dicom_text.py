"""Texts of a DICOM header in every character set of PS3.5 6.1, to Unicode.

pydicom decodes most of them, but leaves escape sequences of ISO 2022 IR 58 in the text, warns with the
patient's name in the log where something is damaged, and knows no set but by the standard's exact spelling.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

ESCAPE = 0x1B

STAND_ALONE = {"192": "utf-8", "GB18030": "gb18030", "GBK": "gb18030"}
"""Sets without code extensions (PS3.3 table C.12-5); GB 18030 holds all of GBK."""

UPPER_HALVES = {
    "100": "latin_1",
    "101": "iso8859_2",
    "109": "iso8859_3",
    "110": "iso8859_4",
    "144": "iso8859_5",
    "127": "iso8859_6",
    "126": "iso8859_7",
    "138": "iso8859_8",
    "148": "iso8859_9",
    "203": "iso8859_15",
    "166": "tis_620",
    "13": "shift_jis",  # of its single bytes, the upper half is that of JIS X 0201
    "149": "euc_kr",
    "58": "gb2312",
}
"""Python's codec of the bytes from 0x80 on, by registration number (PS3.3 tables C.12-2 to C.12-4)."""

WINDOWS = {"100": "cp1252", "101": "cp1250", "110": "cp1257", "148": "cp1254", "203": "cp1252"}
"""What machines with Windows write for the set: from 0x80 to 0x9F it has letters and quotes, and ISO 8859 nothing."""

UNLIKE_UTF_8 = frozenset(WINDOWS) | {"109", "144", "127", "126", "138"}
"""Sets in which no name is well-formed UTF-8 by chance, as a few Thai, Japanese, Korean and Chinese ones are."""

ESCAPES_TO_UPPER = {
    b"-A": "100",
    b"-B": "101",
    b"-C": "109",
    b"-D": "110",
    b"-L": "144",
    b"-G": "127",
    b"-F": "126",
    b"-H": "138",
    b"-M": "148",
    b"-b": "203",
    b"-T": "166",
    b")I": "13",
    b"$)C": "149",
    b"$)A": "58",
}
ESCAPES_TO_LOWER = {b"(B": "6", b"(J": "14", b"$B": "87", b"$@": "87", b"$(B": "87", b"$(D": "159"}
ESCAPES = re.compile(rb"\x1b(\$[)(][A-D]|\$[B@]|[-()][A-Za-z])")

CONTROLS = ("Cc", "Cs", "Zl", "Zp")
"""Categories of Unicode that no single line of text holds."""

REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""They make a text look like another one. Joiners, marks of direction and spaces of every kind belong to names."""

RESETS = frozenset(b"\t\n\f\r")
"""After each of them, and after a delimiter, the first set counts again (PS3.5 6.1.2.5.3)."""


@dataclass(frozen=True)
class CharacterSet:
    """What Specific Character Set (0008,0005) says.

    Attributes:
        whole: Codec of every byte, where the set needs no code extensions; else "".
        upper: Registration number of the bytes from 0x80 on before any escape sequence; "" where none is named.
    """

    whole: str = ""
    upper: str = ""

    @classmethod
    def named(cls, term: str) -> "CharacterSet":
        """Read the defined terms, in whatever spelling; a set that nobody knows is taken for none."""
        terms = [_number_of(value) for value in term.upper().split("\\")]
        whole = next((STAND_ALONE[number] for number in terms if number in STAND_ALONE), "")
        return cls(whole, terms[0] if terms[0] in UPPER_HALVES else "")

    def decode(self, value: bytes, delimiters: bytes = b"\\") -> str:
        """Decode a text; what means nothing becomes U+FFFD.

        Args:
            value: As stored.
            delimiters: What parts the text; person names have three (PS3.5 6.2.1.1).
        """
        if self.whole:
            return value.decode(self.whole, "replace")
        if ESCAPE not in value and (not self.upper or self.upper in UNLIKE_UTF_8):
            try:
                return value.decode("utf-8")  # ASCII; or a set that should have been named
            except UnicodeDecodeError:
                return _upper(value, self.upper or "100")
        if ESCAPE not in value and self.upper == "13":
            return value.decode("shift_jis", "replace")  # some write kanji in it, whose second bytes may be ASCII
        return self._extended(value, RESETS | frozenset(delimiters))

    def _extended(self, value: bytes, resets: frozenset[int]) -> str:
        """Follow the escape sequences of ISO 2022 through a text."""
        lower, upper, said, position = "6", self.upper or "100", [], 0
        while position < len(value):
            escape = ESCAPES.match(value, position)
            if escape:
                lower = ESCAPES_TO_LOWER.get(escape[1], lower)
                upper = ESCAPES_TO_UPPER.get(escape[1], upper)
                position = escape.end()
                continue
            end = _end_of_run(value, position, lower, resets)
            run = value[position:end]
            if run[0] >= 0x80:
                said.append(_upper(run, upper))
            elif lower in ("87", "159") and run[0] > 0x20:
                said.append(_two_bytes(run, lower))
            else:
                said.append(run.decode("ascii"))
                if run[0] in resets:
                    lower, upper = "6", self.upper or upper  # many writers do not repeat the sequence
            position = end
        return "".join(said)


def readable(text: str) -> str:
    """Take out of a text what cannot be seen and is no part of it: control characters, and padding at the ends."""
    kept = (c for c in text if unicodedata.category(c) not in CONTROLS and c not in REORDERING)
    return "".join(kept).strip(" ")


def _number_of(term: str) -> str:
    """The number of a registered set, however it is spelled; or the name of one that has none."""
    if "GB18030" in term or "GBK" in term:
        return "GB18030"
    if re.search(r"UTF[-_ ]?8", term):
        return "192"
    if part := re.search(r"8859[-_ ](\d+)", term):
        return next((number for number, codec in UPPER_HALVES.items() if codec == f"iso8859_{part[1]}"), "100")
    found = re.search(r"(\d+)\D*$", term)
    return found[1] if found else ""


def _end_of_run(value: bytes, start: int, lower: str, resets: frozenset[int]) -> int:
    """Where the bytes end that are read alike."""
    first, wide = value[start], lower in ("87", "159")
    if not wide and first in resets or first <= 0x20:
        return start + 1
    end = start + 1
    while end < len(value) and value[end] != ESCAPE and (value[end] >= 0x80) == (first >= 0x80):
        if first < 0x80 and (value[end] <= 0x20 or not wide and value[end] in resets):
            break
        end += 1
    return end


def _upper(run: bytes, number: str) -> str:
    text = run.decode(UPPER_HALVES[number], "replace")
    return text.translate(_windows_letters(WINDOWS[number])) if number in WINDOWS else text


@cache
def _windows_letters(codec: str) -> dict[int, str]:
    """Letters of a code page of Windows, by the control characters in whose place they stand."""
    codes = range(0x80, 0xA0)
    return {code: letter for code in codes if (letter := bytes([code]).decode(codec, "ignore"))}


def _two_bytes(run: bytes, number: str) -> str:
    """JIS X 0208 (IR 87) or JIS X 0212 (IR 159): in EUC-JP it is the same pairs with their high bits set."""
    pairs = [bytes(byte | 0x80 for byte in run[start : start + 2]) for start in range(0, len(run), 2)]
    prefix = b"\x8f" if number == "159" else b""
    return b"".join(prefix + pair for pair in pairs).decode("euc_jp", "replace")
