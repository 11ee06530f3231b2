"""The tables that tell how a film lies: fitted on films, they know them."""

import json

import numpy as np

from app.segmentation.reading import orientation
from training.releasing.fit_orientation import fit_orientation


def test_fitted_tables_tell_the_films_they_were_fitted_on(prepared_folder, films, monkeypatch, tmp_path):
    tables = fit_orientation(prepared_folder, tmp_path / "tables.json")
    assert json.loads((tmp_path / "tables.json").read_text()) == tables
    for name, weights in (("UPRIGHT_WEIGHTS", tables["upright"]), ("TILT_WEIGHTS", tables["tilt"])):
        assert np.shape(weights) == (8, 4)
        monkeypatch.setattr(orientation, name, np.array(weights))
    for row in films.rows("val"):
        image = films.image(row)
        assert orientation.orientation_of(image).upright > 0.9
        assert orientation.orientation_of(1 - image).inverted > 0.9
        assert orientation.orientation_of(np.rot90(image)).turned > 0.9
        assert abs(orientation.orientation_of(image).tilt_degrees) < 10
