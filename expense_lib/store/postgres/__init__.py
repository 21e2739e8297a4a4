"""The engine of ledgers in a PostgreSQL database, under the same contract as the file's.

Read in this order: ``schema`` (the tables, and what keeps ledgers apart), ``texts`` (the store's SQL in
PostgreSQL's spelling), ``address``, ``connections``, ``session`` (transactions, and what is sent together),
``errors`` and ``orphans``; ``database`` puts them together. Only a ledger in PostgreSQL imports any of this.
"""
