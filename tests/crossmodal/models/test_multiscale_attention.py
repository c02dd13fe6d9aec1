"""Multi-scale attention has tokens of waveform and spectra, and refuses windows too short for them."""

import pytest

from crossmodal.config import UserError
from crossmodal.config.models import ModelSettings
from crossmodal.models.registry import network_spec
from tests.crossmodal.models.pairs import volume_pair


def test_sixteen_seconds_are_tokens_of_waveform_and_of_three_scales():
    """In the setting of 26 electrodes at 200 Hz and 64 regions: tokens of 1 s, and spectra of 1, 2 and 4 s up to 50 Hz."""
    model = network_spec(ModelSettings(kind="multiscale_attention")).build(volume_pair(26, 64, 3200, 200.0))
    assert model.position_kd.shape == (16 + 16 + 8 + 4, 64)
    assert [spectra.spectra.n_frequencies for spectra in model.spectra] == [50, 100, 200]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, r"^model\.patch_s: a window of 0\.4 s holds no token of 1 s; shorten it or lengthen data\."),
        ({"patch_s": 0.2, "scales_s": (0.2, 2)}, r"^model\.scales_s: a window of 0\.4 s holds no token of 2 s;"),
        ({"patch_s": 0.2, "scales_s": (0.2,), "width": 9}, r"^model\.width 9 must be a multiple of model\.heads 8$"),
    ],
)
def test_what_cannot_be_built_is_refused_by_its_setting(settings, sentence):
    with pytest.raises(UserError, match=sentence):
        network_spec(ModelSettings(kind="multiscale_attention", **settings)).build(volume_pair(5, 3, 40, 100.0))
