"""A synthetic chest film: what a released model is asked to prove itself, and what tests read."""
