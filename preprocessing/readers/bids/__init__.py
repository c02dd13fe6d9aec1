"""Recordings of BIDS datasets, and the tables beside them."""
