"""The sandbox's Canvas: one store, written by SIS imports and by REST, as reference/canvas.md describes it."""
