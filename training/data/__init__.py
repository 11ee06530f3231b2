"""Public data sets, brought into one form: a table of films and two arrays."""
