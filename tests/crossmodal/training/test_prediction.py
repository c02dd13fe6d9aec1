"""A virtual MEG recording, written as predict writes it, is what MNE opens, plots and localises."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import mne
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from crossmodal.config import Experiment
from crossmodal.config.signal_spec import SignalPair, SignalSpec
from crossmodal.datasets.manifest import Manifest, publish
from crossmodal.datasets.shard import write_shard
from crossmodal.datasets.virtual_data import has_gaps
from crossmodal.models.registry import network_spec
from crossmodal.models.store import ModelCard, save_model
from crossmodal.physics.cortex import template_cortex, template_head
from crossmodal.physics.geometry import Dipoles
from crossmodal.physics.head import lead_field, sphere_head, upper_scalp
from crossmodal.physics.template import fit_template
from crossmodal.tasks.sensors.task import TARGET_INFO
from crossmodal.training.prediction import predict_recording
from crossmodal.training.runs import RESULT, FoldResult, model_uri, run_name
from crossmodal.transforms.scaling import ChannelScaling, Normaliser
from preprocessing.prediction_input import clean_input
from preprocessing.readers.files import list_files
from preprocessing.recording import preprocess_recording
from preprocessing.simulated.sensors import sensor_info

_SFREQ = 100.0
_MOMENT_AM = 50e-9
_WITHIN_M = 0.002


@dataclass(frozen=True)
class Cortex:
    """A few dipoles, what the channels of an info see of them (n_channels, n_dipoles), and which one is active."""

    dipoles: Dipoles
    fields: NDArray[np.float64]
    active: int


@pytest.fixture(scope="module")
def info():
    """70 electrodes and 102 magnetometers around the template head."""
    recorded = sensor_info(_SFREQ, 1.0, np.zeros(3), np.zeros(3))
    kinds = recorded.get_channel_types()
    located = [index for index, channel in enumerate(recorded["chs"]) if channel["loc"].any() and kinds[index] != "grad"]
    return mne.pick_info(recorded, located)


@pytest.fixture(scope="module")
def cortex(info):
    """Twenty cortical dipoles in a spherical head; the one that MEG sees best is active."""
    head = sphere_head(upper_scalp(template_head().scalp_m))
    fit, cortex = fit_template(info), template_cortex(20)
    dipoles = head.confine(Dipoles(fit.points(cortex.positions_m), fit.directions(cortex.orientations)))
    fields = lead_field(info, dipoles, head)
    is_mag = np.array(info.get_channel_types()) == "mag"
    return Cortex(dipoles, fields, int(np.argmax(np.linalg.norm(fields[is_mag], axis=0))))


@pytest.fixture(scope="module")
def experiment(info, cortex, tmp_path_factory):
    """A store with the recordings' shards, and a network that is nothing but a linear map, which knows the dipoles' fields."""
    root = tmp_path_factory.mktemp("virtual")
    moment_t = _MOMENT_AM * np.sin(2 * np.pi * 10 * np.arange(1000) / _SFREQ)
    noise_c = np.array([{"eeg": 1e-7, "mag": 5e-15}[kind] for kind in info.get_channel_types()])[:, None]
    rng = np.random.default_rng(0)
    for subject in ("1", "2", "3"):
        x_ct = cortex.fields[:, [cortex.active]] * moment_t + noise_c * rng.standard_normal((len(noise_c), len(moment_t)))
        mne.io.RawArray(x_ct, info, verbose="error").save(root / f"{subject}_raw.fif", verbose="error")
    experiment = Experiment.model_validate(
        {
            "name": "virtual",
            "store": str(root / "store"),
            "recordings": {"kind": "files", "files": [{"path": str(root / f"{name}_raw.fif"), "subject": name} for name in "123"]},
            "preprocessing": {"sfreq": None},
            "model": {"kind": "synaptech_net", "widths": [4], "bridge_layers": 0, "input_skip": {"filters": 1, "taps": 1}},
        }
    )
    entries = []
    for entry in list_files(experiment.recordings):
        made = preprocess_recording(entry, experiment.recordings, experiment.preprocessing, root)
        entries.append(write_shard(made, root / "store" / "shards" / f"shard-{entry.subject}"))
    manifest = Manifest.of(entries, "test")
    publish(manifest, experiment.store, experiment.dataset_recipe)
    _publish_model(experiment, manifest, info, cortex)
    return experiment


def _publish_model(experiment, manifest, info, cortex):
    channels = manifest.entries[0].channels
    eeg, mag = (cortex.fields[[info["ch_names"].index(name) for name in channels[modality]]] for modality in ("eeg", "meg"))
    projection_sc = mag @ np.linalg.pinv(eeg - eeg.mean(axis=0))
    input, target = (
        SignalSpec(names=channels[modality], types=(kind,) * len(channels[modality]), sfreq=_SFREQ, n_times=100)
        for modality, kind in (("eeg", "eeg"), ("meg", "mag"))
    )
    signals = SignalPair(input=input, target=target)
    network = network_spec(experiment.model).build(signals)
    with torch.no_grad():
        # Microvolts in, femtotesla out.
        network.input_skip.mixing.weight[:, :, 0] = torch.from_numpy(projection_sc * 1e-6 / 1e-15)
    normaliser = Normaliser(
        ChannelScaling(torch.zeros(len(eeg)), torch.full((len(eeg),), 1e6)),
        ChannelScaling(torch.zeros(len(mag)), torch.full((len(mag),), 1e15)),
    )
    run = run_name(experiment, manifest)
    card = ModelCard(
        run=run,
        fold="sub-1",
        network=experiment.model,
        signals=signals,
        data=experiment.data,
        preprocessing=experiment.preprocessing,
        recorded_names=channels["eeg"],
        normaliser=normaliser.to_plain(),
        trained_on=("3", "2"),
    )
    folder = Path(model_uri(experiment.store, run, "sub-1"))
    folder.mkdir(parents=True)
    mne.pick_info(info, [info["ch_names"].index(name) for name in channels["meg"]]).save(folder / TARGET_INFO, verbose="error")
    (folder / RESULT).write_text(FoldResult(run=run, fold="sub-1", n_parameters=1, history=()).model_dump_json())
    save_model(folder, network, card)


@pytest.fixture(scope="module")
def virtual(experiment, tmp_path_factory):
    """What predict writes of the first subject's EEG, opened by MNE; and what it said."""
    folder = tmp_path_factory.mktemp("written")
    raw = mne.io.read_raw_fif(experiment.recordings.files[0].path, verbose="error")
    raw.pick("eeg").save(folder / "eeg_raw.fif", verbose="error")
    written = predict_recording(experiment, str(folder / "eeg_raw.fif"), folder / "v_raw.fif", "sub-1", clean_input)
    return mne.io.read_raw_fif(written.path, preload=True, verbose="error"), written.notes


def _at_peak(raw):
    """The middle of the recording, when the dipole is strongest."""
    x_ct = raw.get_data()
    peak = 300 + int(np.argmax(np.linalg.norm(x_ct[:, 300:700], axis=0)))
    return mne.EvokedArray(x_ct[:, [peak]], raw.info, verbose="error")


def test_mne_localises_a_dipole_in_it(virtual, cortex):
    raw, notes = virtual
    assert "training subject 3's (dev_head_t)" in notes[0]
    sphere = mne.make_sphere_model("auto", "auto", raw.info, verbose="error")
    found, _ = mne.fit_dipole(_at_peak(raw), mne.make_ad_hoc_cov(raw.info, verbose="error"), sphere, verbose="error")
    assert np.linalg.norm(found.pos[0] - cortex.dipoles.positions_m[cortex.active]) < _WITHIN_M
    assert 0.5 * _MOMENT_AM < found.amplitude[0] < 1.2 * _MOMENT_AM  # MEG sees no radial part of it.


def test_it_is_known_as_virtual_by_its_samples(virtual):
    raw, _ = virtual
    assert has_gaps(raw.get_data().T, raw.info["sfreq"])


def test_mne_plots_its_sensors_and_its_field(virtual):
    mpl.use("Agg")
    raw, _ = virtual
    assert len(raw.plot_sensors(show=False).axes[0].collections[0].get_offsets()) == 102
    evoked = _at_peak(raw)
    field = evoked.plot_topomap(times=[0.0], ch_type="mag", colorbar=False, show=False)
    (image,) = field.axes[0].images
    assert np.abs(np.ma.filled(image.get_array(), 0.0)).max() == pytest.approx(1e15 * np.abs(evoked.data).max(), rel=0.3)
    assert raw.plot(n_channels=102, show=False, verbose="error").axes[0].lines
    plt.close("all")
