"""The SQLite file and all SQL on it.

Read in this order: ``schema`` (what is in the file, and its migrations; ``blueprint`` compares), ``sqlite``
(connections and transactions; ``opened_file``, ``companions`` and ``left_log`` see to it that none is lost),
``transaction`` (what all functions here take); ``expenses``, ``claims`` (who owns which key), ``log``,
``categories``, ``accounts``, ``category_rules`` and ``imports`` (the tables, read and written by the rules);
``queries`` (what is read of many rows); ``integrity`` and ``health`` (is it sound, and a copy of it);
``restoration`` (back to a copy); ``extract`` (what changed, for analysis).
"""
