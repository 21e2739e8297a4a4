"""The ledger over HTTP.

Read in this order: ``settings`` and ``log``, ``requests`` (parsers) and ``inputs`` (what an endpoint takes),
``responses`` and ``problems`` (refusals), ``auth``, ``metrics``, ``route`` (what an endpoint is), ``routes``
(every endpoint), ``router`` (from a request to its route), ``wsgi`` (the application). Beside them
``openapi``, ``descriptions`` and ``docs``, which describe the routes, and ``aws_lambda``.
"""
