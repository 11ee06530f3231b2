"""Figures are written for reading."""

from training.measuring.writing import markdown_table, with_interval


def test_tables_are_written_for_reading():
    assert with_interval(0.5, 0.25, 0.75) == "0.500 (0.250 to 0.750)"
    assert with_interval(-0.5, -0.75, 0.25, signed=True) == "-0.500 (-0.750 to +0.250)"
    assert markdown_table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"
