"""Recordings become shards."""
