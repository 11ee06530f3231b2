"""A sheet of A4 with the few things that a report is made of: paragraphs, headings, lines of label and text."""

from fpdf import FPDF
from fpdf.util import Padding

from app.exports.pictures import FONTS
from app.exports.report_fonts import MAIN, drawable, font_of, fonts_in, is_plain

WIDTH, HEIGHT, MARGIN, FOOT = 210.0, 297.0, 16.0, 14.0
"""Millimetres, as everywhere here; `FOOT` is below the last line."""

TEXT_WIDTH = WIDTH - 2 * MARGIN
LABEL_WIDTH = 40.0
INK, GREY, LINE, ALARM = (20, 27, 33), (92, 103, 112), (205, 212, 218), (150, 60, 0)


class Page(FPDF):
    """One page. Whatever is written leaves the cursor below it, at the left margin."""

    def __init__(self, text_scale: float) -> None:
        """Open the page.

        Args:
            text_scale: By which every size of text is multiplied.
        """
        super().__init__(format="A4")
        self.text_scale = text_scale
        self.set_margin(MARGIN)
        self.c_margin = 0
        self.set_auto_page_break(False)
        self.add_font(MAIN, "", FONTS / f"{MAIN}.ttf")
        self.add_font(MAIN, "B", FONTS / f"{MAIN}-Bold.ttf")
        self.set_fallback_fonts([MAIN], exact_match=False)
        self._added = {MAIN}
        self.add_page()

    def paragraph(
        self,
        text: str,
        size: float = 9,
        *,
        bold: bool = False,
        colour: tuple[int, int, int] = INK,
        x: float = MARGIN,
        width: float = TEXT_WIDTH,
    ) -> None:
        """Write a paragraph, `size` in points."""
        size *= self.text_scale
        text = drawable(text)
        self._add_fonts_for(text)
        font = font_of(text)
        self.set_font(font, "B" if bold and font == MAIN else "", size)
        self.set_text_shaping(not is_plain(text))
        self.set_text_color(*colour)
        self.set_x(x)
        self.multi_cell(width, 0.5 * size, text, align="L", new_x="LMARGIN", new_y="NEXT")

    def _add_fonts_for(self, text: str) -> None:
        """Add what a text needs and no text before it did: the largest font takes half a second to read."""
        missing = fonts_in(text) - self._added
        for font in sorted(missing):
            self.add_font(font, "", FONTS / f"{font}.ttf")
        if missing:
            self._added |= missing
            self.set_fallback_fonts([MAIN, *sorted(self._added - {MAIN})], exact_match=False)

    def banner(self, text: str) -> None:
        """Write what must not be overlooked, on a coloured ground."""
        self.set_fill_color(255, 243, 224)
        self.set_text_color(*ALARM)
        self.set_font(MAIN, "B", 9)
        self.set_text_shaping(False)
        self.multi_cell(
            TEXT_WIDTH,
            5,
            text,
            align="C",
            fill=True,
            padding=Padding(1.5, 1.5, 1.5, 1.5),
            new_x="LMARGIN",
            new_y="NEXT",
        )

    def heading(self, text: str) -> None:
        """Begin a section, under a line."""
        self.ln(3)
        self.rule(self.get_y())
        self.ln(1.5)
        self.paragraph(text, bold=True)

    def row(self, label: str, text: str) -> None:
        """Write a label and what it is."""
        y = self.get_y()
        self.paragraph(label, width=LABEL_WIDTH, colour=GREY)
        self.set_y(y)
        self.paragraph(text, x=MARGIN + LABEL_WIDTH, width=TEXT_WIDTH - LABEL_WIDTH)

    def last_line(self, text: str) -> None:
        """Write at the foot of the page."""
        self.rule(HEIGHT - FOOT)
        self.set_xy(MARGIN, HEIGHT - FOOT + 1.5)
        self.paragraph(text, 8, colour=GREY)

    def rule(self, y: float) -> None:
        """Draw a line across the page."""
        self.set_draw_color(*LINE)
        self.line(MARGIN, y, WIDTH - MARGIN, y)
