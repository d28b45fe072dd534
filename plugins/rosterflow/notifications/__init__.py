"""What people are told by mail, and what is written down for it."""
