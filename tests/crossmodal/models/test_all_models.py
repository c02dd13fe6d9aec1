"""One test over every registered model and baseline; one that is added later is found by itself.

`VARIANTS` may give a kind small settings, several where it works in several ways; without any it is tested with its defaults.
"""

import pytest

from crossmodal.config.models import ModelSettings
from crossmodal.models.registry import baseline_spec, network_spec, registered
from tests.crossmodal.models import checks

_NET = {"widths": (4, 8), "bridge_hidden": 6, "bridge_layers": 1}
_AIM = {"width": 8, "encoder_layers": 1, "decoder_layers": 1, "heads": 2, "expansion": 2}
_FILTERS = {"filters": 8, "taps": 9, "pool": 4}
_ELECTRODES = {"width": 8, "heads": 2, "encoder_layers": 1, "expansion": 2}
_CALHAS = {"block_channels": 2, "latent": 12}
_WAVELETS = {"kind": "scalogram", "frequencies": 8}
VARIANTS = {
    "synaptech_net": {
        "paper": _NET,
        "no_bridge": {"widths": (4,), "bridge_layers": 0},
        "input_skip": {**_NET, "norm": "none", "input_skip": {"filters": 3, "taps": 5}},
        "scalogram": {**_NET, "representation": _WAVELETS},
        "complex_scalogram": {**_NET, "representation": {**_WAVELETS, "parts": "complex"}},
        "bands": {**_NET, "representation": {"kind": "bands", "frequencies": 16}},
        "stft": {**_NET, "representation": {"kind": "stft", "window_s": 0.2}},
        "band_target": {**_NET, "target": {"kind": "bands", "frequencies": 16}},
    },
    "aim": {"queries": _AIM, "autoregressive": {**_AIM, "decoding": "autoregressive"}},
    "calhas": {
        "attention_fourier": {**_CALHAS, "attention_regulariser": 0.01},
        "linear": {**_CALHAS, "attention": False, "projection": "linear", "style": "learned", "alignment": 0},
    },
    "source_net": {"default": {"width": 8}},
    "lightbunny": {"recurrent": {"width": 16, "chunk": 8}},
    "bunny": {"recurrent": {"width": 16, "segment": 8}},
    "deepsif": {"recurrent": {"width": 16}},
    "pointwise_mlp": {"default": {"widths": (16, 16)}},
    "unrolled_champagne": {"placed": {"centres": 40, "n_dipoles": 300, "other_heads": 2, "iterations": 4, "hidden": 4, "recurrent": 16}},
    "bricman_fc": {"default": {"channel_width": 8, "widths": (16, 16), "rank": 4}},
    "bricman_cnn": {"default": {**_FILTERS, "features": 8, "widths": (16, 16), "rank": 4}},
    "bricman_transformer": {"default": {**_ELECTRODES, "rank": 4}},
    "bricman_seq2seq": {"default": {**_ELECTRODES, "decoder_layers": 1, "regions_per_token": 2}},
    "bricman_mixed": {"default": {**_FILTERS, "width": 8, "heads": 2, "layers": 1, "expansion": 2}},
    "multiscale_attention": {
        "default": {"patch_s": 0.5, "scales_s": (0.5, 1), "width": 8, "heads": 2, "time_layers": 1, "electrode_layers": 1, "rank": 4}
    },
    "spectrogram_unet": {"default": {"front_width": 4, "widths": (4, 8), "region_plane": (8, 8)}},
    "ridge": {"instantaneous": {}, "lagged": {"lag_s": 0.03}},
}
_WAVELET_INPUTS = {"scalogram", "complex_scalogram", "bands"}
_MANY_GRAPHS = {*_WAVELET_INPUTS, "stft", "band_target", "recurrent", "placed"}


def _cases(is_baseline, list_of_checks):
    for kind in sorted(registered(is_baseline=is_baseline)):
        for name, settings in VARIANTS.get(kind, {"default": {}}).items():
            for check in list_of_checks:
                # The wavelet transform looks at the signal to choose how it convolves, and physics makes a lead field of places. A graph
                # of one piece cannot; compiling many small ones takes long.
                if check is checks.check_exported_it_says_the_same and name in {*_WAVELET_INPUTS, "placed"}:
                    continue
                slow = check is checks.check_compiled_it_says_the_same and name in _MANY_GRAPHS
                label = f"{kind}-{name}-{check.__name__.removeprefix('check_')}"
                yield pytest.param(kind, settings, check, id=label, marks=[pytest.mark.slow] if slow else [])


@pytest.mark.parametrize(("kind", "settings", "check"), _cases(False, checks.NETWORK_CHECKS))
def test_network(kind, settings, check):
    check(network_spec(ModelSettings(kind=kind, **settings)))


@pytest.mark.parametrize(("kind", "settings", "check"), _cases(True, checks.BASELINE_CHECKS))
def test_baseline(kind, settings, check):
    check(baseline_spec(ModelSettings(kind=kind, **settings)))
