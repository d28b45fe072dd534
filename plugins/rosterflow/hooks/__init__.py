"""One hook per outside API: how it is called, what its failures mean."""
