"""Benchmark of conversation: questions that lean on earlier ones."""
