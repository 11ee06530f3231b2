"""A radiograph's pixels to the network's evidence."""
