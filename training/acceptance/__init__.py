"""A model at another site: accepted or not by limits that the site wrote down before, and set anew for it."""
