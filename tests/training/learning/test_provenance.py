"""What a lineage has seen is counted over all of its runs."""

from training.learning.provenance import windows_of_lineage


def test_windows_of_runs_before_are_counted_also_where_an_older_version_did_not():
    older = {"films_seen": 4800, "settings": {"window": {"size": 256}}, "started_from": "lite0"}
    assert windows_of_lineage("lite0") == 0
    assert windows_of_lineage(older) == 4800
    assert windows_of_lineage({"films_seen": 10, "settings": {"window": {"size": 0}}, "started_from": older}) == 4800
    assert windows_of_lineage({"windows_seen": 12, "started_from": older}) == 4812
    assert windows_of_lineage({"windows_in_all": 99, "windows_seen": 12, "started_from": older}) == 99
