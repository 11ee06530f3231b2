"""What else is measured and shown of released weights."""
