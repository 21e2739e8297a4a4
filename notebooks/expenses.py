import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Expenses")

with app.setup:
    import html

    import marimo as mo

    from expense_lib import Expense, ExpenseError, ExpenseFilter, Page, entry, open_ledger

    ALL = "All\N{NO-BREAK SPACE}categories"  # no category has such a space
    RED = "color: var(--red-11)"
    GRID = "display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 0.75rem"


@app.function
def entry_fields(outcome: entry.Outcome) -> mo.ui.batch:
    """The form's fields as *outcome* leaves them, with what is wrong beside each."""
    errors = dict(outcome.errors) if isinstance(outcome, entry.Refused) else {}
    wrong = {
        name: f'<div role="alert" style="{RED}">{name.capitalize()} {html.escape(message)}.</div>'
        for name, message in errors.items()
    }
    rows = "\n".join(
        f"<div>{{{name}}}{wrong.get(name, '')}</div>"
        for name in ("amount", "category", "description", "date")
    )
    typed = outcome.typed
    refund = f"<div>{{refund}}{wrong.get('refund', '')}</div>"
    return mo.md(f'<div style="{GRID}">{rows}{refund}</div>').batch(
        amount=mo.ui.text(typed.amount, label="Amount", placeholder="12.50", full_width=True),
        category=mo.ui.text(typed.category, label="Category", placeholder="Food", full_width=True),
        description=mo.ui.text(typed.description, label="Description", full_width=True),
        date=mo.ui.text(typed.date, label="Date", placeholder="YYYY-MM-DD", full_width=True),
        refund=mo.ui.checkbox(typed.refund, label="Refund"),
    )


@app.function
def told(outcome: entry.Outcome, currency: str) -> mo.Html | None:
    """What became of the form that was sent, as a message."""
    match outcome:
        case entry.Added(expense=expense):
            return said(f"Added: {in_words(expense, currency)}.", kind="success")
        case entry.AlreadyRecorded(expense=expense):
            since = f"{expense.created_at.astimezone():%Y-%m-%d %H:%M}"
            return said(f"Already recorded at {since}: {in_words(expense, currency)}.", kind="warn")
        case entry.WasDeleted(expense_id=expense_id):
            return said(f"This was recorded as number {expense_id} and then deleted.", kind="warn")
        case entry.Refused(errors=errors):
            others = [f" {name} {message}." for name, message in errors if not hasattr(outcome.typed, name)]
            return said("Not added yet: see above." + "".join(others), kind="danger")
        case entry.NotReached(reason=reason):
            return said(f"Not added: {reason} What you typed is kept.", kind="danger")
    return None


@app.function
def said(text: str, kind: str) -> mo.Html:
    """A message in which a long word wraps."""
    wrapped = f'<span style="overflow-wrap: anywhere">{html.escape(text)}</span>'
    return mo.callout(mo.Html(wrapped), kind=kind)


@app.function
def in_words(expense: Expense, currency: str) -> str:
    """One expense as a person would name it: 12.50 USD, Food, Lunch, 2026-11-22."""
    nth = f"number {expense.occurrence} of its kind that day" if expense.occurrence > 1 else ""
    parts = (f"{expense.amount} {currency}", expense.category, expense.description, str(expense.date), nth)
    return ", ".join(part for part in parts if part)


@app.function
def table_of(page: Page) -> mo.Html:
    """The page's expenses as a plain table: sorting is for the ledger, which knows all of them."""
    cell = "padding: 0.25rem 0.5rem; text-align: left"
    text = f"{cell}; overflow-wrap: anywhere; min-width: 5rem"
    number = "text-align: right; white-space: nowrap"
    head = "".join(
        f'<th scope="col" style="{cell}; {number if name == "Amount" else ""}">{name}</th>'
        for name in ("Date", "Category", "Description", "Amount")
    )
    body = "".join(
        f'<tr style="border-top: 1px solid var(--border)">'
        f'<td style="{cell}; white-space: nowrap">{expense.date}</td>'
        f'<td style="{text}">{html.escape(expense.category)}</td>'
        f'<td style="{text}">{html.escape(expense.description)}</td>'
        f'<td style="{cell}; {number}; font-variant-numeric: tabular-nums">{expense.amount:,}</td></tr>'
        for expense in page.items
    )
    return mo.Html(f'<table style="width: 100%"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')


@app.cell(hide_code=True)
def heading():
    mo.md("""
    # Expenses
    """)
    return


@app.cell
def state():
    # Every form sent rebuilds the form, since marimo drops one that is sent twice with the same values. That
    # happens in the form's own cell, hence the self-loops.
    get_outcome, set_outcome = mo.state(entry.ready(), allow_self_loops=True)
    get_category, set_category = mo.state(ALL, allow_self_loops=True)
    get_cursors, set_cursors = mo.state((None,), allow_self_loops=True)
    get_asked, set_asked = mo.state(0)
    return (
        get_asked,
        get_category,
        get_cursors,
        get_outcome,
        set_asked,
        set_category,
        set_cursors,
        set_outcome,
    )


@app.cell
def writing(get_outcome, set_cursors, set_outcome):
    # Writes happen here, called by on_change only: a cell that runs again can't repeat one.
    def show(outcome: entry.Outcome) -> None:
        if isinstance(outcome, entry.Added):
            set_cursors((None,))
        set_outcome(outcome)

    def send(values: dict[str, object]) -> None:
        show(entry.submit(open_ledger, entry.Typed(**values), get_outcome()))

    def send_another(_: object) -> None:
        before = get_outcome()
        if isinstance(before, entry.AlreadyRecorded | entry.WasDeleted):
            show(entry.submit_another(open_ledger, before))

    def bring_back(_: object) -> None:
        before = get_outcome()
        if isinstance(before, entry.WasDeleted):
            show(entry.restore(open_ledger, before))

    return bring_back, send, send_another


@app.cell
def entry_form(get_outcome, send):
    form = entry_fields(get_outcome()).form(submit_button_label="Add expense", on_change=send)
    form
    return


@app.cell
def message(bring_back, get_outcome, page, send_another):
    add_another = mo.ui.button(label="Add it as another one", on_change=send_another)
    restore = mo.ui.button(label="Restore it", on_change=bring_back)
    _outcome = get_outcome()
    _choices = {entry.AlreadyRecorded: [add_another], entry.WasDeleted: [restore, add_another]}
    mo.vstack(
        [
            told(_outcome, page.currency if page else "") or mo.md(""),
            mo.hstack(_choices.get(type(_outcome), []), justify="start"),
        ]
    )
    return


@app.cell
def load(get_asked, get_category, get_cursors, get_outcome):
    get_asked(), get_outcome()
    _category = None if get_category() == ALL else get_category()
    try:
        page = open_ledger().search(ExpenseFilter(category=_category, cursor=get_cursors()[-1]))
        names = [category.name for category in open_ledger().categories()]
        unread = None
    except ExpenseError as _error:
        page, names, unread = None, [], str(_error)
    return names, page, unread


@app.cell
def filters(get_category, names, set_asked, set_category, set_cursors):
    def _show(name: str) -> None:
        set_cursors((None,))
        set_category(name)

    _chosen = get_category()
    category = mo.ui.dropdown(
        [ALL, *names, *({_chosen} - {ALL, *names})],
        value=_chosen,
        label="Filter",
        allow_select_none=False,
        searchable=True,
        on_change=_show,
    )
    refresh = mo.ui.button(label="Refresh", on_change=lambda _: set_asked(lambda asked: asked + 1))
    mo.hstack([category, refresh], justify="start", align="end", wrap=True)
    return


@app.cell
def totals(page, unread):
    mo.stop(unread is not None, mo.callout(f"The expenses can't be shown: {unread}", kind="danger"))
    mo.hstack(
        [
            mo.stat(f"{page.total:,} {page.currency}", label="Total", bordered=True),
            mo.stat(f"{page.count:,}", label="Expenses", bordered=True),
        ],
        justify="start",
        wrap=True,
    )
    return


@app.cell
def listing(page):
    mo.stop(page is None)
    mo.stop(not page.count, mo.md("No expenses yet. Add the first one above."))
    table_of(page)
    return


@app.cell
def pager(get_cursors, page, set_cursors):
    mo.stop(page is None)
    _cursors = get_cursors()
    newer = mo.ui.button(
        label="Newer", disabled=len(_cursors) == 1, on_change=lambda _: set_cursors(_cursors[:-1])
    )
    older = mo.ui.button(
        label="Older",
        disabled=page.next_cursor is None,
        on_change=lambda _: set_cursors((*_cursors, page.next_cursor)),
    )
    mo.hstack([newer, older], justify="start") if len(_cursors) > 1 or page.next_cursor else None
    return


if __name__ == "__main__":
    app.run()
