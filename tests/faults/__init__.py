"""Faults: killed at every await, the database gone in the middle, the disk full."""
