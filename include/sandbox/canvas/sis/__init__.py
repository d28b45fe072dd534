"""SIS imports: routes, dispatcher, importers and the runner that works imports off one at a time."""
