from crossmodal.evaluation.openings import openings, record_opening


def test_each_run_that_looks_counts_once(tmp_path, s3):
    for store in (str(tmp_path), f"{s3}/{tmp_path.name}"):
        assert openings(store, "data") == ()
        for run in ("one", "two", "one"):
            record_opening(store, "data", run, "promotion", ("3", "4"))
        record_opening(store, "other", "three", "promotion", ("3",))
        assert [opening.run for opening in openings(store, "data")] == ["one", "two"]
        assert openings(store, "data")[0].subjects == ("3", "4")
