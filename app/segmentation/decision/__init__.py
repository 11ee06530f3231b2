"""Evidence to a finding, a mask, and reasons to doubt them."""
