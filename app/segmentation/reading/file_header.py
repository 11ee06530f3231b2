"""What a file says of its film besides the picture: read once, in plain texts, for whoever needs it afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

LOSSY = ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod")
"""What was once compressed with loss must say so ever after (PS3.3 C.7.6.1.1.5)."""


@dataclass(frozen=True)
class Loss:
    """How a picture was compressed with loss.

    Attributes:
        method: Lossy Image Compression Method, in DICOM's term if it has one (PS3.3 C.7.6.1.1.5.1).
        ratio: Bytes before, to one after.
    """

    method: str
    ratio: float


@dataclass(frozen=True)
class Code:
    """One coded entry (PS3.3 8.8) of a sequence.

    Attributes:
        value: Its Code Value.
        scheme: Its Coding Scheme Designator: "SCT", "SRT", "DCM" …
        meaning: Its Code Meaning, in anybody's words.
    """

    value: str
    scheme: str = ""
    meaning: str = ""


@dataclass(frozen=True)
class FileHeader:
    """Texts and codes of a file, as it gives them: nothing is checked. Plain, so that it can go to another process.

    Attributes:
        texts: By DICOM keyword, in Unicode, without padding; several values are parted by a backslash. Of a file that
            is no DICOM object there is only `LOSSY`. What is missing or empty is left out.
        codes: Entries of code sequences, by DICOM keyword.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, tuple[Code, ...]] = field(default_factory=dict)

    def text(self, keyword: str) -> str:
        """Return a text, "" if there is none."""
        return self.texts.get(keyword, "")

    def after(self, loss: Loss | None) -> "FileHeader":
        """Add what the picture itself shows that it lost; what the file says of it stays."""
        if loss is None:
            return self
        shown = dict(zip(LOSSY, ("01", f"{loss.ratio:.2f}", loss.method), strict=True))
        has_said = self.text("LossyImageCompression") == "01"  # "00" is wrong: the codestream counts (PS3.5 8.2)
        return replace(self, texts={**self.texts, **shown, **(self.texts if has_said else {})})

    def codes_in(self, *keywords: str) -> list[Code]:
        """Return the entries of sequences, one after the other."""
        return [code for keyword in keywords for code in self.codes.get(keyword, ())]

    def day(self, keyword: str) -> date | None:
        """Return a date; None where there is none or it is damaged."""
        try:
            return date.fromisoformat(self.text(keyword).replace(".", ""))  # ACR-NEMA wrote 1997.03.01
        except ValueError:
            return None
