"""What the app knows and does, without the page: marimo's cells in ``notebook.py`` only lay it out.

Read in this order: ``messages`` (amounts, expenses and changes in words), ``filters`` (which expenses are
shown, and the address that keeps it), ``figures`` (averages and comparisons), ``snapshot`` (what the page
shows of the ledger), ``entry``, ``answers`` and ``entry_form`` (recording what is typed), ``remarks`` and
``tray`` (what is asked of it, and by the ledger), ``edits`` and ``edit_dialog`` (edits, deletes, renames and
their undoing), ``reading_options``, ``statement_columns``, ``statement_account``, ``row_decisions`` and
``statement_lines`` (what is said and seen of a statement), ``import_phases``, ``import_work``,
``import_alarm`` and ``import_wizard`` (its import), ``recurring`` (payments that come again), ``demo`` and
``opened_ledger`` (a ledger to play with, and one's own), ``charts``, ``tables`` and ``widgets`` (what is
drawn); ``session`` is one browser tab, which has all of it. ``server`` is marimo, serving the notebook.
"""
