"""Log band power in bins that end with the window."""

import numpy as np
import pytest
import torch
from scipy.signal import welch

from crossmodal.config import UserError
from crossmodal.transforms.band_power import LogBandPower

BANDS_HZ = {"theta": (4, 8), "alpha": (8, 13)}


def test_it_is_welchs_estimate_of_each_bin():
    x_ct = torch.randn(3, 500, generator=torch.Generator().manual_seed(0))
    power_ckm = LogBandPower(BANDS_HZ, 2.0, 100.0, 500)(x_ct)
    assert power_ckm.shape == (3, 2, 2)
    for index, (start, stop) in enumerate(((100, 300), (300, 500))):
        frequencies_hz, density_cf = welch(x_ct[:, start:stop].double().numpy(), 100.0, nperseg=100, detrend=False)
        for band, (low, high) in enumerate(BANDS_HZ.values()):
            inside = (frequencies_hz >= low) & (frequencies_hz < high)
            # A one-sided density is twice that of the transform, per Hz.
            expected_c = np.log(density_cf[:, inside].mean(axis=1) * 100.0 / 2)
            np.testing.assert_allclose(power_ckm[:, band, index], expected_c, rtol=1e-4)


def test_silence_stays_finite():
    assert LogBandPower(BANDS_HZ, 1.0, 100.0, 100)(torch.zeros(1, 100)).isfinite().all()


@pytest.mark.parametrize(
    ("bands_hz", "bin_s", "message"),
    [
        (BANDS_HZ, 6.0, r"bin_s: a window of 5 s holds no bin of 6 s"),
        ({"alpha": (9, 11)}, 0.5, r"bands_hz\.alpha: .* resolve 4 Hz"),
        ({"gamma": (60, 90)}, 2.0, r"bands_hz\.gamma: "),
    ],
)
def test_what_cannot_be_resolved_is_refused(bands_hz, bin_s, message):
    with pytest.raises(UserError, match=message):
        LogBandPower(bands_hz, bin_s, 100.0, 500)
