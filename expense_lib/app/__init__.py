"""What the app knows and does, without the page: marimo's cells in ``notebook.py`` only lay it out.

Read in this order: ``words`` (how things are said), ``view`` (which expenses are looked at, and the address
that says so), ``figures`` (averages and comparisons), ``looking`` (what there is to see), ``entry`` and
``conversation`` (what becomes of a form, and how that is told), ``changing`` and ``asking`` (edits, deletes,
renames and their undoing, and the dialog for them), ``intake`` (a statement on its way in), ``recurring``
(what comes again), ``demo`` (a ledger to play with), ``charts``, ``tables`` and ``widgets`` (what is drawn);
``session`` is one person at all of it. ``server`` is marimo, serving the notebook.
"""
