"""Every transform on a GPU, and on the way through torch alone that a GPU takes, which a CPU takes where a gradient is asked for."""

import numpy as np
import pytest
import pywt
import scipy.signal
import torch
from torch import nn

from crossmodal.transforms.bands import BandAmplitude
from crossmodal.transforms.cwt import Cwt
from crossmodal.transforms.logarithms import Log, Log1p
from crossmodal.transforms.stft import Stft
from crossmodal.transforms.tr_spectra import TrSpectra

SFREQ, N_TIMES = 100.0, 20_000
FREQUENCIES_HZ = np.geomspace(2, 40, 6)
LOW_HZ, HIGH_HZ = 5.0, 15.0
TRANSFORMS = {
    "cwt": lambda: Cwt(FREQUENCIES_HZ, SFREQ),
    "real cwt": lambda: Cwt(FREQUENCIES_HZ, SFREQ, "mexh"),
    "bands": lambda: BandAmplitude({"alpha": (LOW_HZ, HIGH_HZ)}, FREQUENCIES_HZ, SFREQ, every={"alpha": 8}),
    "stft": lambda: Stft(62, 10),
    "stft and back": lambda: ThereAndBack(Stft(62, 10)),
    "tr spectra": lambda: TrSpectra(SFREQ, 2.0, 50),
    "log1p": Log1p,
    "log": lambda: Log(1e-3),
}
REFERENCES = {
    "cwt": lambda x_ct: wavelets(x_ct, "cmor1.5-1.0"),
    "real cwt": lambda x_ct: wavelets(x_ct, "mexh"),
    "bands": lambda x_ct: np.abs(wavelets(x_ct, "cmor1.5-1.0")[:, (FREQUENCIES_HZ > LOW_HZ) & (FREQUENCIES_HZ < HIGH_HZ), ::8]).mean(
        axis=1, keepdims=True
    ),
    "stft": lambda x_ct: scipy.signal.stft(x_ct, nperseg=62, noverlap=52)[2][..., : N_TIMES // 10],
    "stft and back": lambda x_ct: x_ct,
}


class ThereAndBack(nn.Module):
    """A transform and its inverse."""

    def __init__(self, stft):
        super().__init__()
        self.stft = stft

    def forward(self, x_ct):
        return self.stft.inverse(self.stft(x_ct), x_ct.shape[-1])


def wavelets(x_ct, wavelet):
    scales = pywt.central_frequency(wavelet) * SFREQ / FREQUENCIES_HZ
    return pywt.cwt(x_ct, scales, wavelet, axis=-1, method="fft")[0].transpose(1, 0, 2)


def signal():
    """Two channels of noise on an offset."""
    return np.random.default_rng(0).standard_normal((2, N_TIMES)) + 3


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-4), (torch.float64, 1e-9)])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_gpu_gives_what_the_cpu_gives(name, dtype, tolerance):
    x_ct = torch.from_numpy(signal()).to(dtype)
    found = TRANSFORMS[name]().to("cuda")(x_ct.to("cuda"))
    assert found.device.type == "cuda"
    torch.testing.assert_close(found.cpu(), TRANSFORMS[name]()(x_ct), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-9)])
@pytest.mark.parametrize("name", REFERENCES)
def test_torch_alone_which_a_signal_that_requires_a_gradient_takes_equals_pywavelets_and_scipy(name, dtype, tolerance):
    x_ct = torch.from_numpy(signal()).to(dtype)
    found = TRANSFORMS[name]()(x_ct.clone().requires_grad_())
    assert found.requires_grad
    expected = REFERENCES[name](x_ct.double().numpy())
    np.testing.assert_allclose(found.detach(), expected, rtol=tolerance, atol=tolerance)
