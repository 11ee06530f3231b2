"""A file's bytes to a radiograph."""
