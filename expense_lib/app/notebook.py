# /// script
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Expenses")

with app.setup:
    import html
    from collections.abc import Callable

    import altair as alt
    import marimo as mo

    from expense_lib import ExpenseError
    from expense_lib.app import charts, demo, edit_dialog, filters, import_wizard, messages, tables
    from expense_lib.app.edits import Failed
    from expense_lib.app.entry import FIELDS, MORE
    from expense_lib.app.session import Session, Tell
    from expense_lib.app.widgets import ExpenseForm, Notice, Sections, Table

    ON_LIST = ("List", "Charts")
    SECTIONS = (*ON_LIST, "Insights", "Import", "Categories", "Changes")
    GRID = "display: grid; grid-template-columns: repeat(auto-fit, minmax(6.5rem, 1fr)); gap: 0.75rem"


@app.function
def said(text: str, kind: str) -> mo.Html:
    """A message in which a long word wraps."""
    wrapped = f'<span role="status" style="overflow-wrap: anywhere">{html.escape(text)}</span>'
    return mo.callout(mo.Html(wrapped), kind=kind)


@app.function
def row(*parts: mo.Html) -> mo.Html:
    """Parts beside each other, or below where there is no room."""
    return mo.hstack(parts, justify="start", align="center", wrap=True)


@app.function
def grid(*parts: mo.Html) -> mo.Html:
    """Fields in columns of one width, as many as there is room for."""
    cells = "".join(f'<div style="align-self: end; min-width: 0">{part}</div>' for part in parts)
    return mo.Html(f'<div style="{GRID}">{cells}</div>')


@app.function
def text(label: str, value: str, say: Callable[[str], None], placeholder: str = "", **more) -> mo.ui.text:
    """A field that says what was typed when it is left, or Enter is pressed."""
    return mo.ui.text(value, placeholder, label=label, on_change=say, full_width=True, **more)


@app.function
def choice(label: str, options: dict[str, object], value: object, say: Callable[[object], None]) -> mo.Html:
    """A choice of one, of which one is made already."""
    chosen = next(name for name, option in options.items() if option == value)
    return mo.ui.dropdown(
        options, chosen, label=label, on_change=say, allow_select_none=False, full_width=True
    )


@app.function
def several(
    label: str, options: list[str], chosen: tuple[str, ...], say: Callable[[tuple[str, ...]], None]
) -> mo.Html:
    """A choice of any number."""
    return mo.ui.multiselect(
        options, list(chosen), label=label, on_change=lambda names: say(tuple(names)), full_width=True
    )


@app.function
def link(to: str, text: str) -> mo.Html:
    """A link that is a fresh page: nothing in hand goes with it."""
    return mo.Html(
        f'<a href="{to}" target="_self" style="text-decoration: underline">{html.escape(text)}</a>'
    )


@app.function
def or_why(show: Callable[[], mo.Html]) -> mo.Html:
    """The output of *show*, or the error's message."""
    try:
        return show()
    except ExpenseError as error:
        return said(str(error), "danger")


@app.function
def clickable(draw: Callable[[], alt.Chart], choose: Callable[[str | None], None]) -> mo.Html:
    """A chart that says which bar was clicked, or why it can't be had."""

    def show() -> mo.ui.altair_chart:
        chart = mo.ui.altair_chart(draw(), on_change=lambda _: choose(charts.clicked(chart.selections)))
        return chart

    return or_why(show)


@app.function
def working(phase: import_wizard.Working) -> mo.Html:
    """A progress bar."""
    share = f'value="{phase.done}" max="{phase.total}"' if phase.total else ""
    rows = f": {phase.done:,} of {phase.total:,} rows" if phase.total else ""
    return mo.Html(
        f'<label style="overflow-wrap: anywhere">{html.escape(phase.what)}{rows}'
        f'<progress style="display: block; width: 100%" {share}></progress></label>'
    )


@app.function
def remember(kept: dict[str, str]) -> None:
    """Have the page's address say what is looked at."""
    query = mo.query_params()
    for name in filters.NAMES:
        if query.get(name, "") != kept.get(name, ""):
            query[name] = kept.get(name)


@app.cell(hide_code=True)
def heading():
    mo.md("""
    # Expenses
    """)
    return


@app.cell
def state():
    # The session knows everything; these only say which part of the page is to be laid out anew.
    get_seen, set_seen = mo.state(None, allow_self_loops=True)
    get_filters, set_filters = mo.state(None, allow_self_loops=True)
    get_picked, set_picked = mo.state(None, allow_self_loops=True)
    get_notice, set_notice = mo.state(None, allow_self_loops=True)
    session = Session(
        mo.query_params().to_dict(), Tell(set_seen, set_filters, set_picked, set_notice, remember)
    )
    return session, get_filters, get_notice, get_picked, get_seen


@app.cell
def banner(session, get_seen):
    get_seen()
    retry = mo.ui.button(label="Retry", on_change=lambda _: session.retry())
    _parts = [
        *([row(said(session.seen.trouble, "danger"), retry)] if session.seen.trouble else []),
        *([row(said(demo.TEXT, "info"), link("?", "Leave the demo"))] if session.is_demo else []),
    ]
    mo.vstack(_parts) if _parts else None
    return


@app.cell
def entry_form(session):
    # Writes happen in what widgets and buttons call, and nowhere else: a cell that runs again repeats none.
    entry = ExpenseForm(
        {
            "send": lambda message: session.add(message, entry.send),
            "act": lambda message: session.act(message, entry.send),
            "complete": lambda message: session.complete(message, entry.send),
            "decide": lambda message: session.decide(message["row"], message["says"]),
            "poll": lambda _: session.poll(),
        },
        session.failed,
        fields=list(FIELDS),
        more=list(MORE),
        label="New expense",
        submit="Add expense",
    )
    entry.shown()
    return (entry,)


@app.cell
def dialog(session):
    asked = ExpenseForm(
        {
            "send": lambda message: session.answer(message, asked.send),
            "delete": lambda _: session.delete(asked.send),
            "complete": lambda message: session.complete(message, asked.send),
        },
        session.failed,
        fields=list(FIELDS),
        label="Edit expense",
        submit="Save",
        dialog=True,
        acts=list(edit_dialog.ACTS),
    )
    asked.shown()
    return (asked,)


@app.cell
def completion(asked, session, entry, get_seen):
    get_seen()
    entry.categories = asked.categories = [each.name for each in session.seen.categories]
    entry.accounts = asked.accounts = list(session.seen.accounts)
    entry.undecided = session.tray()
    return


@app.cell
def filter_fields(session, get_filters):
    get_filters()
    period = choice("Period", filters.PERIODS, session.view.period, session.choose_period)
    date_from = text("From", session.view.date_from, lambda day: session.show(date_from=day), "YYYY-MM-DD")
    date_to = text("To", session.view.date_to, lambda day: session.show(date_to=day), "YYYY-MM-DD")
    categories = several(
        "Categories",
        session.category_names(),
        session.view.categories,
        lambda names: session.show(categories=names),
    )
    accounts = several(
        "Accounts",
        session.account_names(),
        session.view.accounts,
        lambda names: session.show(accounts=names),
    )
    tags = text("Tags", session.view.tags, lambda typed: session.show(tags=typed))
    search = text("Search", session.view.q, lambda typed: session.show(q=typed), debounce=300)
    at_least = text("At least", session.view.amount_min, lambda amount: session.show(amount_min=amount))
    at_most = text("At most", session.view.amount_max, lambda amount: session.show(amount_max=amount))
    clear = mo.ui.button(label="Clear filters", on_change=lambda _: session.clear(), full_width=True)
    _dates = (date_from, date_to) if session.view.period == filters.CUSTOM else ()
    _accounts = (accounts,) if session.account_names() else ()
    grid(period, *_dates, categories, *_accounts, tags, search, at_least, at_most, clear)
    return


@app.cell
def unclear(session, get_seen):
    get_seen()
    said(session.seen.unclear, "warn") if session.seen.unclear else None
    return


@app.cell
def totals(session, get_seen):
    get_seen()
    _page, _currency = session.seen.page, session.currency()
    mo.stop(_page is None)
    _spread = f"A month, over {messages.number(session.seen.months, 'month')}" if _page.count else "A month"
    row(
        mo.stat(messages.money(_page.total, _currency), label="Total", bordered=True),
        mo.stat(f"{_page.count:,}", label="Expenses", bordered=True),
        mo.stat(messages.money(session.seen.average, _currency), label=_spread, bordered=True),
    )
    return


@app.cell
def sections():
    get_section, set_section = mo.state(SECTIONS[0])
    Sections({"go": lambda message: set_section(message["to"])}, names=SECTIONS, chosen=SECTIONS[0]).shown()
    return (get_section,)


@app.cell
def notice(session):
    noticed = Notice({"act": lambda message: session.undo(message["of"])}, session.failed)
    noticed.shown()
    return (noticed,)


@app.cell
def noticing(session, get_notice, noticed):
    get_notice()
    noticed.told = session.told()
    return


@app.cell
def month_chart(session, get_seen, get_section):
    get_seen()
    mo.stop(get_section() != "Charts" or not session.seen.categories)
    by_month = clickable(
        lambda: charts.by_month(session.month_bars(), session.currency()), session.choose_month
    )
    by_month
    return


@app.cell
def category_chart(session, get_seen, get_section):
    get_seen()
    mo.stop(get_section() != "Charts" or not session.seen.categories)
    by_category = clickable(
        lambda: charts.by_category(session.category_bars(), session.currency()), session.choose_category
    )
    by_category
    return


@app.cell
def hint(session, get_seen, get_section):
    get_seen()
    mo.stop(get_section() not in ON_LIST or session.seen.page is None or session.seen.page.count > 0)
    mo.stop(not session.seen.is_new, mo.md("Nothing matches these filters."))
    mo.vstack(
        [
            mo.md("**No expenses yet.** Type the first one above, or drop a bank statement under *Import*."),
            row(
                mo.md("Or look around first, in a separate demo ledger:"),
                link("?demo=1", "Load sample expenses"),
            ),
        ]
    )
    return


@app.cell
def actions(asked, session, get_picked, get_seen, get_section):
    get_seen(), get_picked()
    mo.stop(get_section() not in ON_LIST or session.seen.page is None or not session.seen.page.count)
    move_picked = mo.ui.button(
        label="Move to a category", on_change=lambda _: asked.send(session.ask_to_move_picked())
    )
    move_all = mo.ui.button(
        label=f"Move all {session.seen.page.count:,} to a category",
        on_change=lambda _: asked.send(session.ask_to_move_all()),
    )
    save = mo.download(session.export, "expenses.csv", "text/csv", label="Download as CSV")
    _picked = [mo.md(f"**{session.picked_in_words()}**"), move_picked] if session.picked else []
    row(*_picked, move_all, save)
    return


@app.cell
def listing(asked, session):
    table = Table(
        {
            "sort": lambda message: session.show(sort=message["by"]),
            "turn": lambda message: session.turn(message["to"]),
            "pick": lambda message: session.pick(message["ids"]),
            "act": lambda message: asked.send(session.ask_to_edit(message["id"])),
        },
        session.failed,
        page=tables.EMPTY,
    )
    table.shown()
    return (table,)


@app.cell
def listed(session, get_seen, get_section, table):
    get_seen()
    table.page = session.table() if get_section() in ON_LIST else tables.EMPTY
    return


@app.cell
def whole_months(get_section):
    whole = mo.ui.switch(label="Whole months, not only up to the same day")
    mo.vstack([mo.md("### This month beside others"), whole]) if get_section() == "Insights" else None
    return (whole,)


@app.cell
def comparison(session, get_seen, get_section, whole):
    get_seen()
    mo.stop(get_section() != "Insights")
    or_why(lambda: Table(page=tables.compared(session.compare(whole=whole.value))).shown())
    return


@app.cell
def coming_again(session, get_seen, get_section):
    get_seen()
    mo.stop(get_section() != "Insights")
    _table = or_why(lambda: Table(page=tables.recurring(session.recurring())).shown())
    mo.vstack([mo.md("### Likely to come again"), _table])
    return


@app.cell
def statement(session):
    get_phase, set_phase = mo.state(None, allow_self_loops=True)
    incoming = import_wizard.ImportWizard(
        session.ledger, lambda work: mo.Thread(target=work).start(), set_phase, session.did
    )
    return get_phase, incoming


@app.cell
def drop(get_phase, incoming, get_section):
    get_phase()
    mo.stop(get_section() != "Import" or incoming.has_file)
    dropped = mo.ui.file(
        kind="area",
        max_size=import_wizard.MAX_FILE_BYTES,
        label="Drop a bank statement here: CSV, OFX, QFX or QIF",
        on_change=lambda files: incoming.take(files[0].contents, files[0].name),
    )
    mo.vstack([mo.md("### Import a statement"), dropped])
    return


@app.cell
def progress(get_phase, incoming):
    get_phase()
    working(incoming.phase) if isinstance(incoming.phase, import_wizard.Working) else None
    return


@app.cell
def proposal(get_phase, incoming, get_section):
    get_phase()
    _phase = incoming.phase
    mo.stop(get_section() != "Import" or not incoming.has_file or isinstance(_phase, import_wizard.Working))
    cancel = mo.ui.button(label="Take another file", on_change=lambda _: incoming.drop())
    land = mo.ui.button(label=f"Import {incoming.count_in_words()}", on_change=lambda _: incoming.land())
    read_again = mo.ui.button(label="Try again", on_change=lambda _: incoming.again())
    _can_land = isinstance(_phase, import_wizard.Proposed) and _phase.brings_something
    _acts = [land] if _can_land else [read_again] if isinstance(_phase, Failed) else []
    mo.vstack(
        [
            mo.md("### Import a statement"),
            said(incoming.told(), "info" if isinstance(_phase, import_wizard.Proposed) else "warn"),
            row(*_acts, cancel),
        ]
    )
    return


@app.cell
def options(get_phase, incoming, get_section):
    get_phase()
    mo.stop(
        get_section() != "Import"
        or not incoming.has_file
        or isinstance(incoming.phase, import_wizard.Working)
    )
    _said = incoming.options
    account = text("Account", _said.account, lambda name: incoming.say(account=name))
    money_out = choice(
        "Money spent is written",
        import_wizard.MONEY_OUT,
        _said.spending,
        lambda sign: incoming.say(spending=sign),
    )
    money_in = choice(
        "Money that came in", import_wizard.MONEY_IN, _said.credits, lambda how: incoming.say(credits=how)
    )
    default = text(
        "Where nothing else fits",
        _said.default_category,
        lambda name: incoming.say(default_category=name),
    )
    grid(account, money_out, money_in, default)
    return


@app.cell
def answers(get_phase, incoming, get_section):
    get_phase()
    mo.stop(get_section() != "Import" or not isinstance(incoming.phase, import_wizard.Asked))
    mo.stop(not incoming.phase.choices)
    answer = mo.ui.dropdown(incoming.phase.choices, label="It is", on_change=incoming.answer)
    answer
    return


@app.cell
def correction(get_phase, incoming, get_section):
    get_phase()
    mo.stop(get_section() != "Import" or isinstance(incoming.phase, import_wizard.Working))
    mo.stop(not incoming.columns())
    mapping = mo.ui.dictionary(
        {
            field: mo.ui.dropdown(
                incoming.columns(),
                incoming.column_of(field),
                label=field.capitalize(),
                on_change=lambda column, field=field: incoming.map(field, column),
                full_width=True,
            )
            for field in import_wizard.FIELDS
        }
    )
    mo.accordion({"Not read rightly? Say which column is what": grid(*mapping.values())})
    return


@app.cell
def verdicts(get_phase, incoming, get_section):
    get_phase()
    mo.stop(get_section() != "Import" or not isinstance(incoming.phase, import_wizard.Proposed))
    only = choice("Lines that are", incoming.kinds(), incoming.only, incoming.show_only)
    _lines = Table({"turn": lambda message: incoming.turn(message["to"])}, page=incoming.table())
    mo.vstack([only, _lines.shown()])
    return


@app.cell
def imported(session, get_notice, get_seen, get_section):
    get_seen(), get_notice()
    mo.stop(get_section() != "Import")
    _undo = {"act": lambda message: session.undo_import(message["id"])}
    _imports = or_why(
        lambda: Table(_undo, session.failed, page=tables.imports(session.ledger().imports())).shown()
    )
    mo.vstack([mo.md("### Imported so far"), _imports])
    return


@app.cell
def all_categories(asked, session, get_seen, get_section):
    get_seen()
    mo.stop(get_section() != "Categories")
    _rename = {"act": lambda message: asked.send(session.ask_to_rename(message["id"]))}
    Table(_rename, session.failed, page=tables.categories(session.seen.categories)).shown()
    return


@app.cell
def changes(session, get_notice, get_seen, get_section):
    get_seen(), get_notice()
    mo.stop(get_section() != "Changes")
    _handlers = {
        "act": lambda message: session.undo_change(message["id"]),
        "turn": lambda message: session.turn_changes(message["to"]),
    }
    _changes = or_why(lambda: Table(_handlers, session.failed, page=session.changes()).shown())
    mo.vstack([mo.md("What was edited, deleted or restored, by whomever. Each can be undone."), _changes])
    return


if __name__ == "__main__":
    app.run()
