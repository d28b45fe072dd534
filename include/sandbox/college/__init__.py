"""A synthetic American college as Campus Cafe knows it."""
