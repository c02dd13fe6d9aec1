"""How deep places lie in the template head."""

import numpy as np
from mne.transforms import apply_trans

from crossmodal.physics.cap import CAP, cap_positions_m
from crossmodal.physics.cortex import template_cortex, template_head
from crossmodal.physics.scalp import distance_from_scalp_m


def test_cortex_lies_below_the_scalp_and_the_middle_of_the_head_deeper():
    head_to_mri = template_head().head_to_mri
    cortex_m = distance_from_scalp_m(apply_trans(head_to_mri, template_cortex(300).positions_m))
    # Most of it 1 to 5 cm deep, as in people; the thalamus (in MNI coordinates) 6 to 8 cm.
    assert np.isfinite(cortex_m).all()
    assert 0.01 < np.median(cortex_m) < 0.05
    (thalamus_m,) = distance_from_scalp_m(np.array([[0.011, -0.018, 0.008]]))
    assert 0.06 < thalamus_m < 0.09
    assert thalamus_m > np.quantile(cortex_m, 0.9)


def test_electrodes_stand_on_it_and_what_lies_outside_the_head_has_no_depth():
    head_to_mri = template_head().head_to_mri
    vertex_m = cap_positions_m()[CAP.index("Cz")]
    inside_m, outside_m = distance_from_scalp_m(apply_trans(head_to_mri, np.array([0.9, 1.2])[:, None] * vertex_m))
    assert inside_m < 0.02
    assert np.isnan(outside_m)
