"""What is kept for a while, and what else is known of it."""
