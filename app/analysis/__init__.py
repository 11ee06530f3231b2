"""What turns a file into an answer for the application."""
