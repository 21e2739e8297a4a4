"""The SQLite file and all SQL on it.

``schema`` says what is in the file and how it is made, ``connections`` who holds it open, ``rows`` what the
rules read and write, ``moves`` the same for many expenses at once, ``views`` what is read of many rows,
``upkeep`` whether it is sound, and how to copy it.
"""
