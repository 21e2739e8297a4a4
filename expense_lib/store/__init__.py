"""Where a ledger is kept, an SQLite file or a PostgreSQL database, and all SQL on it.

Read in this order: ``engine`` (what both engines are), ``file`` (the one in a file): ``schema`` (what is in
it, and its migrations; ``blueprint`` compares), ``sqlite`` (connections and transactions; ``opened_file``,
``companions`` and ``left_log`` see to it that none is lost); ``postgres`` (the other one, in a package).
``transaction`` (what all functions here take); ``expenses``, ``claims`` (who owns which key), ``log``,
``effects`` (what changes do beside the log), ``tellings`` and ``decisions`` (who told of which payment, and
what was said of that), ``categories``, ``accounts``, ``category_rules`` and ``imports`` (the tables, read
and written by the rules); ``queries`` (what is read of many rows; ``conditions`` say of which);
``integrity`` and ``health`` (is it sound, and a copy of it); ``restoration`` (back to a copy); ``copying``
(to another ledger of any kind); ``extract`` (what changed, for analysis).
"""
