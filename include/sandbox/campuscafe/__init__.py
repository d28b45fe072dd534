"""Campus Cafe's API over the college (docs/coursekey-contract.md, Campus Cafe)."""
