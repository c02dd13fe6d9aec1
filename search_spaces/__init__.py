"""What a search may vary: one module a model family, named as the model's `kind`.

A module has `suggest(trial, experiment)`, which asks an Optuna trial for parameters and gives the settings that follow from
them by dotted name, and `FIRST`, the parameters of the first trial, or a tuple of those of the first trials. A model's module is found by
its name alone.
"""
