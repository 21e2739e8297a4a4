"""The ledger over HTTP.

Read in this order: ``settings`` and ``log``, ``reading`` (what comes in), ``answers`` and ``problems`` (what
goes out), ``access`` (who may ask), ``metrics``, ``paths`` (every path, and what answers it), ``wsgi`` (the
application); beside them ``operations``, ``openapi`` and ``docs`` (its description), and ``aws_lambda``.
"""
