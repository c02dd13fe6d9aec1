"""Causes of failures without advice that only programmers can follow."""

import numpy as np
import pytest
import scipy.io

from crossmodal.config import UserError
from preprocessing.readers.formats.opening import read_raw_file
from preprocessing.signals.broken import translate_reading_errors, without_hints


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Invalid byte in a channel. You might want to try setting \"encoding='latin1'\".", "Invalid byte in a channel."),
        ("Format V1R002 is not supported. Set allow_unknown_format=True to load it anyways.", "Format V1R002 is not supported."),
        ("There is 1 trial\n  too many.", "There is 1 trial too many."),
        ("Try on_split_missing instead.", ""),
        ("Could not read it. It is recommended to use preload=True. See https://github.com/x/1", "Could not read it."),
    ],
)
def test_advice_of_a_library_is_left_out(text, left):
    assert without_hints(text) == left


def test_an_error_that_only_advises_is_called_by_its_kind():
    with pytest.raises(UserError, match=r"a.fif: cannot be read as a recording \(KeyError\); replace"), translate_reading_errors("a.fif"):
        raise KeyError("set verbose='debug'")


def test_epochs_of_eeglab_are_refused_without_a_function_to_call(tmp_path):
    channels = np.array([("Fz",), ("Cz",)], dtype=[("labels", object)])
    eeg = {"nbchan": 2, "trials": 3, "pnts": 100, "srate": 200.0, "data": np.zeros((2, 100, 3)), "chanlocs": channels}
    scipy.io.savemat(tmp_path / "a.set", {"EEG": eeg}, appendmat=False)
    with pytest.raises(UserError, match=r"a.set: cannot be read .*\(The number of trials is 3. It must be 1 for raw files.\);"):
        read_raw_file(tmp_path / "a.set")
