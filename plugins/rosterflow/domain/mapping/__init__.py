"""From the rows of a source to what Canvas should hold: pure, one module per part of the structure."""
