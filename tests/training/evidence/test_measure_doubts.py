"""What the checks of the picture notice on films that were changed."""

from training.evidence.measure_doubts import measure_doubts


def test_what_is_measured(prepared_folder):
    val = measure_doubts(prepared_folder)["val"]
    assert (val["films"], val["films_changed"]) == (8, 8)
    assert val["flagged"] == {}, "they are as large as those of train"
    assert val["corrected_once_inverted"] == val["noticed_once_inverted"] == 1
    assert val["noticed_once_turned"] == {90: 1, 180: 1, 270: 1}
    assert val["noticed_once_tilted"][40] == 1
