"""Byte formats of the outside systems, pure: text in, values out, and back."""
