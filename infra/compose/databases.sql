-- Beside MLflow's own: where studies of hyperparameters are kept.
CREATE DATABASE optuna OWNER crossmodal;
