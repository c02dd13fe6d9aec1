"""The torch wavelet transform against PyWavelets."""

import subprocess
import sys

import numpy as np
import pytest
import pywt
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crossmodal.config import UserError
from crossmodal.transforms.cwt import Cwt, log_spaced_frequencies
from crossmodal.transforms.filter_bank import plan

SFREQ = 100.0
WAVELETS = ["cmor1.5-1.0", "cmor0.5-2.0", "cgau3", "shan1.5-1.0", "fbsp2-1.5-1.0", "morl", "mexh", "gaus1", "gaus8"]


def reference(x_ct, frequencies_hz, wavelet, sfreq=SFREQ):
    scales = pywt.central_frequency(wavelet) * sfreq / np.asarray(frequencies_hz)
    wavelets_fct, _ = pywt.cwt(np.float64(x_ct), scales, wavelet, axis=-1, method="fft")
    return wavelets_fct.transpose(1, 0, 2)


def largest_error(found_cft, expected_cft):
    """Largest over channels and scales, relative to the rms of a channel's scale.

    A value of 170 times the rms or more may be off by 1e-5 of it once rounded to float32: from 150 on it is relative to 1/150 of the peak.
    """
    magnitude_cft = np.abs(expected_cft)
    size_cf = np.maximum(np.sqrt((magnitude_cft**2).mean(axis=-1)), magnitude_cft.max(axis=-1) / 150)
    return (np.abs(found_cft - expected_cft).max(axis=-1) / size_cf).max()


def signals(kind, n_times, seed):
    """Three channels of noise; of noise that falls with frequency, on an offset; of a slow wave that ends softly."""
    rng = np.random.default_rng(seed)
    white_ct = rng.standard_normal((3, n_times))
    if kind == "white":
        return white_ct
    if kind == "1/f with offset":
        return 1e-5 * np.cumsum(white_ct, axis=-1) + rng.uniform(-1, 1, (3, 1))
    return np.hanning(n_times + 2)[1:-1] * (1 + 1e-3 * white_ct)


def test_the_families_are_all_of_pywavelets():
    assert {pywt.ContinuousWavelet(name).short_family_name for name in WAVELETS} == set(pywt.families()) - {
        pywt.Wavelet(name).short_family_name for name in pywt.wavelist(kind="discrete")
    }


@pytest.mark.parametrize("wavelet", WAVELETS)
@settings(max_examples=12, deadline=None)
@given(
    n_times=st.integers(1, 9000),
    kind=st.sampled_from(["white", "1/f with offset", "soft ends"]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    seed=st.integers(0, 99),
)
@example(n_times=1, kind="white", dtype=torch.float32, seed=0)
@example(n_times=30, kind="white", dtype=torch.float64, seed=0)
@example(n_times=9000, kind="1/f with offset", dtype=torch.float32, seed=0)
@example(n_times=8150, kind="1/f with offset", dtype=torch.float32, seed=1)
@example(n_times=30_000, kind="1/f with offset", dtype=torch.float32, seed=2)
def test_it_is_pywavelets_transform(wavelet, n_times, kind, dtype, seed):
    """At every scale, for signals shorter and longer than kernels and blocks."""
    x_ct = torch.from_numpy(signals(kind, n_times, seed)).to(dtype)
    frequencies_hz = log_spaced_frequencies(8, 1.0, 49.0, SFREQ)
    expected_cft = reference(x_ct.numpy(), frequencies_hz, wavelet)
    found_cft = Cwt(frequencies_hz, SFREQ, wavelet)(x_ct).numpy()
    assert found_cft.shape == expected_cft.shape
    assert found_cft.dtype == (np.result_type(x_ct.numpy(), np.complex64) if np.iscomplexobj(expected_cft) else x_ct.numpy().dtype)
    assert largest_error(found_cft, expected_cft) < (1e-5 if dtype == torch.float32 else 1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["white", "1/f with offset", "soft ends"])
@pytest.mark.parametrize("sfreq", [250.0, 1100.0])
def test_it_is_pywavelets_transform_on_a_run(sfreq, kind):
    """As long as a run of ds000117 and with kernels from 1 Hz."""
    x_ct = np.float32(signals(kind, 540_100, 0)[:1])
    frequencies_hz = log_spaced_frequencies(32, 1.0, 100.0, sfreq)
    found_cft = Cwt(frequencies_hz, sfreq)(torch.from_numpy(x_ct)).numpy()
    assert largest_error(found_cft, reference(x_ct, frequencies_hz, "cmor1.5-1.0", sfreq)) < 1e-5


@settings(max_examples=20, deadline=None)
@given(n_times=st.integers(1, 9000), block_length=st.integers(500, 9000))
@example(n_times=9000, block_length=3000)
@example(n_times=600, block_length=500)
def test_blocks_are_the_whole_transform(n_times, block_length):
    """Also of a signal shorter than a kernel."""
    x_ct = torch.from_numpy(signals("1/f with offset", n_times, 0))
    cwt = Cwt(log_spaced_frequencies(4, 1.0, 40.0, SFREQ), SFREQ)
    whole_cft = cwt(x_ct).numpy()
    pieces = list(cwt.blocks(x_ct, block_length))
    assert [start for start, _ in pieces] == list(range(0, n_times, block_length))
    assert largest_error(torch.cat([piece_cft for _, piece_cft in pieces], dim=-1).numpy(), whole_cft) < 1e-9


@pytest.mark.parametrize("ends_stand_out", [False, True])
@pytest.mark.parametrize("multiple", [1, 8, 15])
@pytest.mark.parametrize("samples", [range(50_000), range(300, 900), range(0, 7), range(0, 20_000)])
def test_kernels_share_blocks_that_hold_them(multiple, samples, ends_stand_out):
    half_lengths = [5, 80, 2000, 300]
    layouts = plan(half_lengths, [multiple] * 4, samples, 50_000, ends_stand_out)
    assert {layout.holds_ends for layout in layouts if layout.is_one_of_many} <= {ends_stand_out}
    assert sorted(member for layout in layouts for member in layout.members) == [0, 1, 2, 3]
    for layout in layouts:
        longest = max(half_lengths[member] for member in layout.members)
        zeros_wrap = layout.lead == 0 and len(samples) == 50_000
        assert zeros_wrap or longest <= layout.lead
        assert layout.lead + layout.hop + longest <= layout.n_fft + (multiple if zeros_wrap else 0)
        assert layout.n_fft % multiple == layout.lead % multiple == layout.hop % multiple == 0


def test_a_value_that_is_not_finite_spoils_what_it_reaches_and_no_other_row():
    x_ct = signals("white", 9000, 0)
    x_ct[1, 4000], x_ct[2] = np.nan, 0
    frequencies_hz = log_spaced_frequencies(4, 2.0, 40.0, SFREQ)
    scales = pywt.central_frequency("cmor1.5-1.0") * SFREQ / frequencies_hz
    expected_cft = pywt.cwt(x_ct, scales, "cmor1.5-1.0", axis=-1, method="conv")[0].transpose(1, 0, 2)
    found_cft = Cwt(frequencies_hz, SFREQ)(torch.from_numpy(x_ct)).numpy()
    np.testing.assert_allclose(found_cft[[0, 2]], expected_cft[[0, 2]], atol=1e-10)
    assert np.isnan(found_cft[np.isnan(expected_cft)]).all()
    finite_cft = np.isfinite(found_cft)
    assert finite_cft[1].any()
    np.testing.assert_allclose(found_cft[finite_cft], expected_cft[finite_cft], atol=1e-10)


def test_what_is_kept_between_calls_is_bounded():
    """Signals of any number of lengths, each with its own spectra."""
    cwt = Cwt([5.0, 20.0], SFREQ)
    for n_times in range(100, 150):
        cwt(torch.zeros(n_times))
    assert len(cwt.bank._spectra) <= 8


def test_any_leading_axes_are_kept():
    x_bct = torch.randn(2, 3, 400)
    cwt = Cwt([5.0, 20.0], SFREQ)
    assert cwt(x_bct).shape == (2, 3, 2, 400)
    torch.testing.assert_close(cwt(x_bct)[1, 2], cwt(x_bct[1, 2]))


def test_gradients_pass_also_after_inference():
    x_ct = torch.from_numpy(signals("white", 60, 0)[:1])
    cwt = Cwt([5.0, 20.0], SFREQ)
    with torch.inference_mode():
        cwt(x_ct)
    assert torch.autograd.gradcheck(cwt, x_ct.requires_grad_())


@pytest.mark.parametrize("n_times", [400, 20_000])
def test_what_a_gradient_is_asked_of_is_the_same(n_times):
    """Other libraries transform where none is."""
    x_ct = torch.from_numpy(signals("white", n_times, 0))
    cwt = Cwt(log_spaced_frequencies(4, 2.0, 40.0, SFREQ), SFREQ)
    torch.testing.assert_close(cwt(x_ct.clone().requires_grad_()).detach(), cwt(x_ct))


_PEAK_OF_A_RECORDING = """
import resource, sys, torch
from crossmodal.transforms.cwt import Cwt
from crossmodal.transforms.bands import BandAmplitude
import numpy as np
torch.set_num_threads(1)
frequencies_hz = np.geomspace(8, 40, 16)
cwt = Cwt(frequencies_hz, 100.0)
bands = BandAmplitude({"alpha": (8, 13), "beta": (13, 30)}, frequencies_hz, 100.0, every={"alpha": 64, "beta": 64})
def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
def transform(x_ct):
    bands(x_ct)
    for _, wavelets_cft in cwt.blocks(x_ct, 4096):
        pass
transform(torch.randn(8, 10_000))
x_ct = torch.randn(8, int(sys.argv[1]))
before = peak_mb()
transform(x_ct)
print(peak_mb() - before)
"""


def test_memory_does_not_grow_with_the_recording():
    """The whole transform of the longer one is 1 GB; peak memory is measured beyond the recording, in its own process."""
    done = subprocess.run([sys.executable, "-c", _PEAK_OF_A_RECORDING, "1000000"], capture_output=True, text=True, env=_environment())
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 40


def _environment():
    return {"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}


def test_frequencies_stay_below_nyquist():
    frequencies_hz = log_spaced_frequencies(60, 1.0, 100.0, SFREQ)
    assert frequencies_hz[0] == 1
    assert frequencies_hz[-1] < 50
    np.testing.assert_allclose(np.diff(np.log(frequencies_hz)), np.log(100) / 59)


def test_what_is_no_wavelet_is_refused():
    with pytest.raises(UserError, match="'haar' is not a continuous wavelet"):
        Cwt([10.0], SFREQ, "haar")
