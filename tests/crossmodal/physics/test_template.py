"""The template is a head, and becomes the head of a recording."""

import os
from pathlib import Path

import mne
import numpy as np
import pytest
from scipy.spatial import cKDTree

from crossmodal.config import UserError
from crossmodal.physics.cortex import template_cortex, template_head
from crossmodal.physics.template import fit_template, template_lead_field


def recording_info(scale):
    """EEG cap and head points of a template head of another size."""
    info = mne.create_info(["Fp1", "Cz", "O1", "T8"], 100.0, "eeg")
    head = template_head()
    montage = mne.channels.make_dig_montage(
        dict(zip(info["ch_names"], head.scalp_m[::500] * scale, strict=False)),
        nasion=head.nasion_m * scale,
        lpa=head.lpa_m * scale,
        rpa=head.rpa_m * scale,
        hsp=head.scalp_m[::20] * scale,
        coord_frame="head",
    )
    return info.set_montage(montage)


def test_cortex_lies_inside_the_head_with_outward_unit_normals():
    head, cortex = template_head(), template_cortex(400)
    np.testing.assert_allclose(np.linalg.norm(cortex.orientations, axis=1), 1, rtol=1e-6)
    centre = cortex.positions_m.mean(axis=0)
    outwards = ((cortex.positions_m - centre) * cortex.orientations).sum(axis=1)
    assert (outwards > 0).mean() > 0.6
    assert (cortex.positions_m.max(axis=0) < head.scalp_m.max(axis=0)).all()
    assert head.nasion_m[1] > cortex.positions_m[:, 1].max()
    spacing = cKDTree(cortex.positions_m).query(cortex.positions_m, k=2)[0][:, 1]
    assert spacing.max() < 3 * spacing.min()


def test_fit_recovers_the_size_of_a_head():
    np.testing.assert_allclose(fit_template(recording_info(1.06)).scale, 1.06, atol=0.02)
    positions_m = template_cortex(50).positions_m
    np.testing.assert_allclose(fit_template(recording_info(0.93)).points(positions_m), 0.93 * positions_m, atol=0.004)


def test_recording_without_positions_is_refused():
    with pytest.raises(UserError, match="no electrode positions"):
        fit_template(mne.create_info(["Fp1"], 100.0, "eeg"))


@pytest.mark.skipif("CROSSMODAL_TEST_DATA" not in os.environ, reason="CROSSMODAL_TEST_DATA names no folder with real recordings")
def test_template_sphere_is_near_the_boundary_elements_of_a_real_head():
    folder = Path(os.environ["CROSSMODAL_TEST_DATA"]) / "paired_eeg_meg"
    info = mne.read_evokeds(folder / "test-ave.fif.gz", condition=0, verbose=False).pick(["eeg", "mag"]).info
    names, gain = template_lead_field(info, 200)
    head_to_mri = mne.read_trans(folder / "sample_audvis_trunc-trans.fif", verbose=False)
    boundary = mne.read_bem_solution(folder / "sample-320-320-320-bem-sol.fif", verbose=False)
    fit, cortex = fit_template(info), template_cortex(200)
    positions_mri_m = mne.transforms.apply_trans(head_to_mri, fit.points(cortex.positions_m))
    orientations = fit.directions(cortex.orientations)
    source_space = mne.setup_volume_source_space(pos={"rr": positions_mri_m, "nn": orientations}, verbose=False)
    forward = mne.make_forward_solution(info, head_to_mri, source_space, boundary, mindist=0.0, verbose="ERROR")
    inside = forward["src"][0]["vertno"]
    assert len(inside) > 150
    free = dict(zip(forward["sol"]["row_names"], forward["sol"]["data"].reshape(len(names), -1, 3), strict=True))
    real = np.einsum("cdk,dk->cd", np.array([free[name] for name in names]), orientations[inside])
    for channel_type in ("eeg", "mag"):
        rows = np.array(info.get_channel_types()) == channel_type
        ours, theirs = gain[rows][:, inside], real[rows]
        if channel_type == "eeg":
            ours, theirs = ours - ours.mean(axis=0), theirs - theirs.mean(axis=0)
        correlation = [np.corrcoef(one, other)[0, 1] for one, other in zip(ours.T, theirs.T, strict=True)]
        assert np.median(correlation) > 0.9
