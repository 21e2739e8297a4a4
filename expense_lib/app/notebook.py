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
    from expense_lib.app import (
        charts,
        demo,
        edit_dialog,
        filters,
        import_wizard,
        messages,
        reading_options,
        tables,
    )
    from expense_lib.app.edits import Failed
    from expense_lib.app.entry import FIELDS, MORE
    from expense_lib.app.import_phases import Proposed, Working
    from expense_lib.app.session import Session, Tell
    from expense_lib.app.widgets import ExpenseForm, Notice, Sections, Table

    ON_LIST = ("List", "Charts")
    SECTIONS = (*ON_LIST, "Insights", "Import", "Categories", "Changes")
    GRID = "display: grid; gap: 0.75rem; color: var(--foreground)"


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
def grid(*parts: mo.Html, width: float = 6.5) -> mo.Html:
    """Fields in columns of one width, of so many rem at least, as many as there is room for."""
    columns = f"grid-template-columns: repeat(auto-fit, minmax(min({width}rem, 100%), 1fr))"
    cells = "".join(f'<div style="align-self: end; min-width: 0">{part}</div>' for part in parts)
    return mo.Html(f'<div style="{GRID}; {columns}">{cells}</div>')


@app.function
def alone(part: mo.Html) -> mo.Html:
    """A field that stands by itself, no wider than it has to be."""
    return mo.Html(f'<div style="max-width: 20rem">{part}</div>')


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
def control(incoming: import_wizard.ImportWizard, option: str) -> mo.Html:
    """A choice of what an option of reading a statement is."""
    found = incoming.choice(option)
    return choice(found.label, found.options, found.value, lambda value: incoming.set(option, value))


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
def working(phase: Working) -> mo.Html:
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
            "more": lambda _: session.show_more(),
            "poll": lambda _: session.poll(),
        },
        session.failed,
        fields=list(FIELDS),
        more=list(MORE),
        label="New expense",
        submit="Add expense",
        ledger=session.seen.ledger,
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
    entry.undecided, entry.beyond, entry.ledger = session.tray(), session.asked.beyond(), session.seen.ledger
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
    working(incoming.phase) if isinstance(incoming.phase, Working) else None
    return


@app.cell
def proposal(get_phase, incoming, get_section):
    get_phase()
    _phase = incoming.phase
    mo.stop(get_section() != "Import" or not incoming.is_at_rest)
    cancel = mo.ui.button(label="Take another file", on_change=lambda _: incoming.drop())
    land = mo.ui.button(label=incoming.deed(), on_change=lambda _: incoming.land())
    read_again = mo.ui.button(label="Try again", on_change=lambda _: incoming.again())
    undecide = mo.ui.button(label="Forget what I said of rows", on_change=lambda _: incoming.undecide())
    _acts = [land] if incoming.can_land else [read_again] if isinstance(_phase, Failed) else []
    _decided = [undecide] if incoming.rows.decisions else []
    mo.vstack(
        [
            mo.md("### Import a statement"),
            said(incoming.told(), "info" if isinstance(_phase, Proposed) else "warn"),
            row(*_acts, cancel, *_decided),
        ]
    )
    return


@app.cell
def account(get_phase, incoming, get_section):
    get_phase()
    mo.stop(get_section() != "Import" or not incoming.asks_account)
    _names, _said = incoming.account_choices(), incoming.options.account
    again = mo.ui.button(
        label=f"{incoming.proposed_account}, as last time",
        on_change=lambda _: incoming.say_account(incoming.proposed_account),
    )
    pick = mo.ui.dropdown(
        _names,
        next((name for name, each in _names.items() if each == _said), None),
        label="Account",
        on_change=incoming.pick_account,
        full_width=True,
    )
    another = text("Another account", "", incoming.say_account)
    _question = (
        "**Of which account is this file?** Nothing can be imported before that is said."
        if incoming.needs_account
        else "**Of this account:**"
    )
    _again = [again] if incoming.needs_account and incoming.proposed_account else []
    mo.vstack([mo.md(_question), *_again, grid(pick, another)])
    return


@app.cell
def alarm(get_phase, incoming, get_section):
    get_phase()
    _alarm = incoming.alarm
    mo.stop(get_section() != "Import" or _alarm is None)
    cure = control(incoming, _alarm.option) if _alarm.option else mo.md("")
    mo.vstack([said(_alarm.text, "danger"), alone(cure)])
    return


@app.cell
def answers(get_phase, incoming, get_section):
    get_phase()
    mo.stop(get_section() != "Import" or not incoming.answers())
    answer = mo.ui.dropdown(incoming.answers(), label="It is", on_change=incoming.answer)
    answer
    return


@app.cell
def options(get_phase, incoming, get_section):
    get_phase()
    mo.stop(get_section() != "Import" or not incoming.is_at_rest)
    money = mo.ui.dictionary(
        {name: control(incoming, name) for name in ("spending", "credits") if not incoming.alarms_about(name)}
    )
    default = text(
        "Where nothing else fits",
        incoming.options.default_category,
        lambda name: incoming.say(default_category=name),
    )
    grid(*money.values(), default)
    return


@app.cell
def correction(get_phase, incoming, get_section):
    get_phase()
    mo.stop(get_section() != "Import" or not incoming.is_at_rest)
    written = mo.ui.dictionary({name: control(incoming, name) for name in reading_options.WRITTEN})
    pattern = text(
        "Or dates are written as",
        incoming.options.date_format or "",
        lambda typed: incoming.say(date_format=typed.strip() or None),
        "%d.%m.%Y",
    )
    mapping = mo.ui.dictionary({name: control(incoming, name) for name in incoming.column_options()})
    mo.accordion(
        {
            "Not read rightly? Say how it is written, and which column is what": mo.vstack(
                [grid(*written.values(), pattern, width=10), grid(*mapping.values(), width=10)]
            )
        },
        expanded=incoming.options.is_corrected or not isinstance(incoming.phase, Proposed),
    )
    return


@app.cell
def kinds(get_phase, incoming, get_section):
    get_phase()
    mo.stop(get_section() != "Import" or not isinstance(incoming.phase, Proposed))
    only = choice("Lines that are", incoming.kinds(), incoming.only, incoming.show_only)
    alone(only)
    return


@app.cell
def verdicts(incoming, session):
    lines = Table(
        {
            "turn": lambda message: incoming.turn(message["to"]),
            "choose": lambda message: incoming.decide(message["id"], message["to"]),
        },
        session.failed,
        page=tables.EMPTY,
    )
    lines.shown()
    return (lines,)


@app.cell
def proposed_lines(get_phase, incoming, get_section, lines):
    get_phase()
    lines.page = incoming.table() if get_section() == "Import" else tables.EMPTY
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
