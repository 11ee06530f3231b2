"""The filter of the worklist: it stands in the address, so that it holds while films are opened."""

from dataclasses import dataclass
from typing import Any

from flask import request

from app.analysis import wording
from app.analysis.language import SOURCE, language, tr
from app.studies.reading_order import GROUPS, Worklist, group_of
from app.studies.study import Study
from app.web.session import own_worklist

WARNED = "warned"
"""What `show` says for films with warnings, whatever their group."""


@dataclass(frozen=True)
class Filter:
    """Which films of the list are shown. `static/worklist/table.js` hides rows by the same rule.

    Attributes:
        show: Code of a group, or "warned"; "" for all.
        find: Text of the file's name or of what is said of the patient; "" for any.
    """

    show: str = ""
    find: str = ""

    @property
    def query(self) -> dict[str, Any]:
        """Its part of an address."""
        return {name: value for name, value in vars(self).items() if value}

    @property
    def name(self) -> str:
        """What the films that it shows are called, after their number; "" for all."""
        titles = {group.code: tr(group.title) for group in GROUPS} | {WARNED: tr("with warnings")}
        title = titles.get(self.show, "")
        title = title.lower() if language() == SOURCE else title  # German nouns have capitals
        return ", ".join(filter(None, (title, tr("with “{text}”", text=self.find) if self.find else "")))

    def fits(self, study: Study) -> bool:
        """Say whether a film is shown."""
        group = not self.show or group_of(study).code == self.show or (self.show == WARNED and study.answer.warnings)
        text = " ".join((study.file_name, *wording.identity(study))).lower()
        return bool(group) and self.find.strip().lower() in text


def chosen_filter() -> Filter:
    """Read the filter from the address of the present request."""
    return Filter(request.args.get("show", ""), request.args.get("find", ""))


def listed_with(study: Study) -> tuple[Worklist, str]:
    """Return the films that the filter shows, and their name; all of them where it hides this very one."""
    whole, chosen = own_worklist(), chosen_filter()
    if not chosen.fits(study):
        return whole, ""
    return Worklist(filter(chosen.fits, whole.studies)), chosen.name
