"""Which task an experiment is."""

from crossmodal.config import Experiment
from crossmodal.tasks.contract import Task
from crossmodal.tasks.cortex.task import CortexTask
from crossmodal.tasks.sensors.task import SensorsTask
from crossmodal.tasks.volumes.task import VolumesTask


def task_of(experiment: Experiment) -> Task:
    """Choose by what is predicted."""
    return _TASKS[experiment.data.target.modality]


_SENSORS = SensorsTask()
_TASKS: dict[str, Task] = {"eeg": _SENSORS, "meg": _SENSORS, "bold": VolumesTask(), "cortex": CortexTask()}
