"""Canaries: secrets that are planted under every label, and synthetic people who try to get them out."""
