"""CourseKey: its schools with their people and courses, and the API that changes them (docs/coursekey-contract.md)."""
