"""Bytes in, structured text out: one module a format."""
