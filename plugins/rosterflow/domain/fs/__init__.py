"""FS's own rows and the two dialects they come in."""
