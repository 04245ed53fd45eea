"""The `ostiary` command line: the composition root."""
