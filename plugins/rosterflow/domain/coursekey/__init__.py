"""Campus Cafe to CourseKey, the pure part: the college's records, its parameters, and the rules of the queue."""
