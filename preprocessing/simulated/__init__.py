"""Simulated cohorts: simultaneous EEG and MEG of people whose physics is known."""
