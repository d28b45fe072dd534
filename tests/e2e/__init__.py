"""The stack as a whole. A package, so that what its fixtures started ends with its tests."""
