"""Which task an experiment is."""

from crossmodal.config import Experiment
from crossmodal.tasks.contract import Task


def task_of(experiment: Experiment) -> Task:
    """Choose by what is predicted; the other tasks are not imported, since each brings libraries of its own."""
    match experiment.data.target.modality:
        case "bold":
            from crossmodal.tasks.volumes.task import VolumesTask

            return VolumesTask()
        case "cortex":
            from crossmodal.tasks.cortex.task import CortexTask

            return CortexTask()
        case "eeg" | "meg":
            from crossmodal.tasks.sensors.task import SensorsTask

            return SensorsTask()
