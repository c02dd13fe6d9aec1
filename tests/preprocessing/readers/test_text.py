"""Text is the same in every encoding, and a file that is none is named."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossmodal.config import UserError
from preprocessing.readers.text import decode, is_guessed, lines_of, read_json, read_text

TABLE = "name\tunits\r\nFz\tµV\r\nSpike über Öz € ½\tmV\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_any_encoding_of_a_table_gives_the_same_text(tmp_path, encoding):
    path = tmp_path / "a.tsv"
    path.write_bytes(TABLE.encode(encoding))
    assert read_text(path, "a.tsv") == TABLE


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_utf_16_with_a_mark_in_either_order(mark):
    encoding = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"
    assert decode(mark + "Fz µV".encode(encoding)) == "Fz µV"


def test_a_byte_that_windows_gives_no_letter_is_latin_1():
    assert decode(b"\x81\xfc") == "\x81ü"


@pytest.mark.parametrize(
    ("text", "encoding", "guessed"),
    [("ü µV", "cp1252", True), ("µV", "cp1252", False), ("ü µV", "utf-8", False), ("ü", "utf-16", False), ("uV", "cp1252", False)],
)
def test_an_encoding_that_is_guessed_is_known_as_such(text, encoding, guessed):
    assert is_guessed(text.encode(encoding)) == guessed


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=40))
def test_bytes_are_text_or_refused(encoded):
    try:
        text = decode(encoded)
    except ValueError:
        return
    assert "\0" not in text


@pytest.mark.parametrize("encoded", [b"\x1f\x8b\x08\x00\x00\x00\x01\x02", b"\xff\xfea", b"name\0\0\0"])
def test_what_is_no_text_is_named(tmp_path, encoded):
    path = tmp_path / "a.tsv"
    path.write_bytes(encoded)
    with pytest.raises(UserError, match=r"sub-01_events.tsv: cannot be read as text"):
        read_text(path, "sub-01_events.tsv")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_json_of_any_encoding(tmp_path, encoding):
    path = tmp_path / "a.json"
    path.write_bytes(json.dumps({"unit": "µV"}, ensure_ascii=False).encode(encoding))
    assert read_json(path, "a.json") == {"unit": "µV"}


@pytest.mark.parametrize(("text", "cause"), [("{'a': 1}", "cannot be read as JSON"), ("[1]", "is JSON without names and values")])
def test_json_that_says_nothing_is_named(tmp_path, text, cause):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(UserError, match=f"coordsystem.json: {cause}"):
        read_json(path, "coordsystem.json")


def test_lines_end_as_on_any_system_and_nowhere_else():
    assert lines_of("a\rb\nc\r\nd\x0b\x85\u2028\x1ce") == ["a", "b", "c", "d\x0b\x85\u2028\x1ce"]
