"""What a plan asks of the store that holds the recordings: once about what all of them share, and of images no more than headers."""

import os
from collections import Counter

from crossmodal.config import Experiment
from crossmodal.config.bold import Bold
from crossmodal.config.cleaning import Maxwell
from crossmodal.config.eeg_fmri import BidsFmriRecordings
from crossmodal.config.preprocessing import Preprocessing
from crossmodal.storage.uri import join, open_fs
from preprocessing.estimate import estimate
from preprocessing.plan import plan_dataset
from preprocessing.why import explain
from tests.preprocessing.readers import layouts
from tests.servers import s3_gate

SUBJECTS = ("01", "02", "03")


def test_what_all_recordings_share_is_asked_for_once(s3, tmp_path):
    uri, data = join(s3, "shared_files"), tmp_path / "data"
    for subject in SUBJECTS:
        layouts.cn_epfl(data / "ds", subject, n_volumes=3)
    for name in ("grid.nii.gz", "atlas.nii.gz"):
        layouts.write_image(data / name, 2, 1.0)
    shared = {name: join(uri, name) for name in ("grid.nii.gz", "atlas.nii.gz", "labels.tsv", "to_mni.txt", "fine.dat", "talk.fif")}
    for name in ("labels.tsv", "to_mni.txt", "fine.dat", "talk.fif", *(f"{subject}.par" for subject in SUBJECTS)):
        (data / name).write_text("x")
    filesystem, path = open_fs(uri)
    filesystem.put(f"{data}/", path, recursive=True)
    targets = {"kind": "regions", "atlas": shared["atlas.nii.gz"], "labels": shared["labels.tsv"]}
    settings = Preprocessing(
        modalities=("eeg", "meg", "bold"),
        maxwell=Maxwell(calibration=shared["fine.dat"], crosstalk=shared["talk.fif"]),
        bold=Bold(grid=shared["grid.nii.gz"], targets=targets),
    )
    with s3_gate(os.environ["AWS_ENDPOINT_URL"]) as (address, asked):
        recordings = BidsFmriRecordings(
            root=join(uri, "ds"), endpoint_url=address, motion=join(uri, "{subject}.par"), transforms=shared["to_mni.txt"]
        )
        experiment = Experiment(name="x", store=str(tmp_path / "store"), recordings=recordings, preprocessing=settings)
        plan = plan_dataset(experiment)
        assert estimate(plan, price=1.0).core_hours_by_step["grid"] > 0
        assert len(explain(plan, "sub-01", None)) == 1
    of_files = Counter(question.partition("?")[0] for question in asked if "list-type" not in question)
    assert of_files == {
        **{f"HEAD /{path}/{name}": 1 for name in (*shared, *(f"{subject}.par" for subject in SUBJECTS))},
        f"GET /{path}/grid.nii.gz": 1,
        **{f"GET /{path}/ds/{entry.bold.image.uri.partition('/ds/')[2]}": 1 for entry in plan.entries.values()},
    }
