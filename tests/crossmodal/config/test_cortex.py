"""Settings of simulated cortical activity that cannot be."""

import pytest
from pydantic import ValidationError

from crossmodal.config import fingerprint
from crossmodal.config.cortex import CortexSimulation, PatchSimulation


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"active_regions": (3, 2)}, "active_regions: the fewest come first"),
        ({"snr_db": (10, 5)}, "the lower end comes first"),
        ({"frequency_hz": (4, 60)}, r"below half of sfreq \(50 Hz\)"),
        ({"envelope_s": (0, 0.1)}, "must be above 0"),
        ({"electrodes": 71}, "less than or equal to 70"),
        ({"subjects": 2}, "greater than or equal to 3"),
        ({"head_model": "bem"}, "Extra inputs are not permitted"),
    ],
)
def test_is_refused(settings, sentence):
    with pytest.raises(ValidationError, match=sentence):
        CortexSimulation(**settings)


def test_subjects_are_numbered():
    assert CortexSimulation(subjects=10).labels[::9] == ("01", "10")


def test_sensors_are_in_the_order_of_channels_and_electrodes_alone_go_without_saying():
    assert PatchSimulation(sensors=("grad", "eeg", "mag", "mag")).sensors == ("eeg", "mag", "grad")
    assert "sensors" not in PatchSimulation(sensors=("eeg",)).model_dump()
    assert (
        fingerprint(PatchSimulation(sensors=("mag",))) != fingerprint(PatchSimulation()) == fingerprint(PatchSimulation(sensors=("eeg",)))
    )
    for wrong in ((), ("meg",)):
        with pytest.raises(ValidationError, match="sensors"):
            PatchSimulation(sensors=wrong)
