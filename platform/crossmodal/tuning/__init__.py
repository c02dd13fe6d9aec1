"""The search for hyperparameters: trials on Ray Tune, what they gave in Optuna and MLflow, and what becomes of the winner."""
