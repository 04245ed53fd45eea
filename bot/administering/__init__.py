"""Who is given what, and who may read what: changes with their effects, made by administrators, undone by them."""
