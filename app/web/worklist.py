"""The worklist in its order, and two films of one patient side by side."""

from datetime import date

from flask import Blueprint, abort, render_template

from app.analysis.language import tr, tr_n
from app.studies.masks import counting_area
from app.studies.reading_order import GROUPS, by_date, group_of, order_of
from app.studies.study import Study
from app.web.listing import chosen_filter, listed_with
from app.web.session import own_study, own_worklist

blueprint = Blueprint("worklist", __name__)


@blueprint.get("/studies/<study_id>/compare")
@blueprint.get("/studies/<study_id>/compare/<other_id>")
def compare(study_id: str, other_id: str | None = None) -> str:
    """Show two films of one patient side by side, the earlier one first.

    Without another film's id it is the one taken last before this one, or else the first after it.
    """
    study = own_study(study_id)
    others = own_worklist().others_of_patient(study)
    chosen = next((other for other in others if other.id == other_id), None)
    if other_id is None and others:
        chosen = max((other for other in others if by_date(other) < by_date(study)), key=by_date, default=others[0])
    if chosen is None:
        abort(404)
    pair = sorted([study, own_study(chosen.id)], key=by_date)  # the list's studies have no pictures
    return render_template(
        "compare.html",
        study=study,
        chosen=chosen,
        others=others,
        pair=[(shown, counting_area(shown)) for shown in pair],
        apart=_apart(*pair),
    )


@blueprint.app_context_processor
def _words() -> dict[str, object]:
    return {
        "groups": GROUPS,
        "group_of": group_of,
        "order_of": order_of,
        "own_worklist": own_worklist,
        "listed_with": listed_with,
        "list_query": lambda: chosen_filter().query,
    }


def _apart(earlier: Study, later: Study) -> str:
    """Say how long after one film the other was taken, as far as their files tell."""
    if not (earlier.taken_on and later.taken_on):
        return tr("Not both say when they were taken; they stand in the order of their days, or else of their uploads.")
    days = (date.fromisoformat(later.taken_on) - date.fromisoformat(earlier.taken_on)).days
    if days == 0:
        return tr("They are of the same day.")
    return tr_n("They are one day apart.", "They are {count} days apart.", days)
