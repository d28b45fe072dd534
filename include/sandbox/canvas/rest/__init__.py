"""Canvas REST: accounts, terms, courses, sections, roles, people, and account reports."""
