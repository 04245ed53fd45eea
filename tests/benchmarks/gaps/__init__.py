"""How well questions that ask the same are put together."""
