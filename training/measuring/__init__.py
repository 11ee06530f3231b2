"""What answers are worth: figures, their intervals, and how they are written; what several wings measure by."""
