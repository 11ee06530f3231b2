"""Makes, measures and releases the weights that the application loads."""
