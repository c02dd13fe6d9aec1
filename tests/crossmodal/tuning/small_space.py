"""A space of networks that train in a second."""

FIRST = {"learning_rate": 0.01, "width": 4}


def suggest(trial, experiment):
    width = trial.suggest_categorical("width", [2, 4, 8])
    return {"training.learning_rate": trial.suggest_float("learning_rate", 1e-5, 0.1, log=True), "model.widths": [width, 2 * width]}
