"""What everything that leaves this software says."""

NOTICE = "Research use only. Not a medical device; not for diagnosis or treatment."
