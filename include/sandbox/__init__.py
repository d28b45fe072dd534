"""A local FS, a local Canvas and a mail server over real protocols, fed by a synthetic university.

Start it with ``make sandbox``, or ``PYTHONPATH=include python -m sandbox``; tests start it in a thread by
:class:`sandbox.serving.RunningSandbox`. It is written from the contracts of the outside systems and shares no
code with the product, so that a misreading in one is not repeated in the other.
"""
