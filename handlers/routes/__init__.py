"""Every endpoint, in one Route each, in the order of the document. Each module is of one resource.

To add one, write its handler and its Route, and a line in the docstring of ``wsgi``.
"""

from handlers.router import Router
from handlers.routes import changes, deciding, expenses, files, service, statements, totals

ROUTES = (
    *expenses.ROUTES,
    *deciding.ROUTES,
    *totals.ROUTES,
    *statements.ROUTES,
    *files.ROUTES,
    *changes.ROUTES,
    *service.ROUTES,
)

router = Router(ROUTES)
