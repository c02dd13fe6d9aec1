"""Shards, manifests, folds, windows, scaling and batches."""
