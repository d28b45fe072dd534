"""Time attended, the pure part: what CourseKey recorded, the ledger made of it, and what Campus Cafe is to hold."""
