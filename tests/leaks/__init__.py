"""Thirty leaks that happened elsewhere, each tried here: once with its guard in place, once with it taken out."""
