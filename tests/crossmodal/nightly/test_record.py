"""What a store knows of nights."""

import pytest

from crossmodal.config import UserError
from crossmodal.nightly.record import NightRecord, previous_record, read_record, write_record
from crossmodal.storage.uri import write_json


def test_the_night_before_is_the_newest_that_came_to_its_end(tmp_path):
    nights = str(tmp_path)
    for date, state in (("2026-03-01", "promoted"), ("2026-03-02", "kept"), ("2026-03-03", "failed"), ("2026-03-04", "kept")):
        write_record(nights, NightRecord(date=date, began="2026-03-01T01:00:00", state=state))
    assert previous_record(nights, "2026-03-04").date == "2026-03-02"
    assert previous_record(nights, "2026-03-01") is None


def test_what_is_no_record_is_told_by_its_place(tmp_path):
    write_json(str(tmp_path / "2026-03-01/record.json"), {"date": "2026-03-01", "of_another": "version"})
    with pytest.raises(UserError, match=r"2026-03-01/record\.json: is no record of a night"):
        read_record(str(tmp_path), "2026-03-01")
