"""A space in which no training can succeed."""

FIRST = {"learning_rate": 1e30}


def suggest(trial, experiment):
    rate = trial.suggest_float("learning_rate", 1e29, 1e30)
    return {"training.learning_rate": rate, "training.gradient_clip": None, "training.warmup_epochs": 0}
