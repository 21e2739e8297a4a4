import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Expenses")

with app.setup:
    import html
    from collections.abc import Callable

    import altair as alt
    import marimo as mo

    from expense_lib import ExpenseError
    from expense_lib.app import asking, charts, demo, intake, tables, view, words
    from expense_lib.app.changing import Failed
    from expense_lib.app.desk import Desk, Tell
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
def link(to: str, text: str) -> mo.Html:
    """A link that is a fresh page: nothing in hand goes with it."""
    return mo.Html(
        f'<a href="{to}" target="_self" style="text-decoration: underline">{html.escape(text)}</a>'
    )


@app.function
def or_why(show: Callable[[], mo.Html]) -> mo.Html:
    """What there is to show, or why it can't be had."""
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
def working(phase: intake.Working) -> mo.Html:
    """How far something is that takes its time."""
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
    for name in view.NAMES:
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
    # The desk knows everything; these only say which part of the page is to be laid out anew.
    get_seen, set_seen = mo.state(None, allow_self_loops=True)
    get_filters, set_filters = mo.state(None, allow_self_loops=True)
    get_picked, set_picked = mo.state(None, allow_self_loops=True)
    get_notice, set_notice = mo.state(None, allow_self_loops=True)
    desk = Desk(mo.query_params().to_dict(), Tell(set_seen, set_filters, set_picked, set_notice, remember))
    return desk, get_filters, get_notice, get_picked, get_seen


@app.cell
def banner(desk, get_seen):
    get_seen()
    retry = mo.ui.button(label="Retry", on_change=lambda _: desk.retry())
    _parts = [
        *([row(said(desk.seen.trouble, "danger"), retry)] if desk.seen.trouble else []),
        *([row(said(demo.TEXT, "info"), link("?", "Leave the demo"))] if desk.is_demo else []),
    ]
    mo.vstack(_parts) if _parts else None
    return


@app.cell
def entry_form(desk):
    # Writes happen in what widgets and buttons call, and nowhere else: a cell that runs again repeats none.
    entry = ExpenseForm(
        {
            "send": lambda message: desk.add(message, entry.send),
            "act": lambda message: desk.act(message, entry.send),
            "complete": lambda message: desk.complete(message, entry.send),
            "look": lambda _: desk.look(),
        },
        desk.failed,
        fields=list(asking.FIELDS),
        label="New expense",
        submit="Add expense",
    )
    entry.shown()
    return (entry,)


@app.cell
def dialog(desk):
    asked = ExpenseForm(
        {
            "send": lambda message: desk.answer(message, asked.send),
            "delete": lambda _: desk.delete(asked.send),
            "complete": lambda message: desk.complete(message, asked.send),
        },
        desk.failed,
        fields=list(asking.FIELDS),
        label="Edit expense",
        submit="Save",
        dialog=True,
        acts=list(asking.ACTS),
    )
    asked.shown()
    return (asked,)


@app.cell
def completion(asked, desk, entry, get_seen):
    get_seen()
    entry.categories = asked.categories = [each.name for each in desk.seen.categories]
    return


@app.cell
def filters(desk, get_filters):
    get_filters()
    period = choice("Period", view.PERIODS, desk.view.period, desk.choose_period)
    date_from = text("From", desk.view.date_from, lambda day: desk.show(date_from=day), "YYYY-MM-DD")
    date_to = text("To", desk.view.date_to, lambda day: desk.show(date_to=day), "YYYY-MM-DD")
    categories = mo.ui.multiselect(
        desk.category_names(),
        list(desk.view.categories),
        label="Categories",
        on_change=lambda names: desk.show(categories=tuple(names)),
        full_width=True,
    )
    search = text("Search", desk.view.q, lambda typed: desk.show(q=typed), debounce=300)
    at_least = text("At least", desk.view.amount_min, lambda amount: desk.show(amount_min=amount))
    at_most = text("At most", desk.view.amount_max, lambda amount: desk.show(amount_max=amount))
    clear = mo.ui.button(label="Clear filters", on_change=lambda _: desk.clear(), full_width=True)
    _dates = (date_from, date_to) if desk.view.period == view.CUSTOM else ()
    grid(period, *_dates, categories, search, at_least, at_most, clear)
    return


@app.cell
def unclear(desk, get_seen):
    get_seen()
    said(desk.seen.unclear, "warn") if desk.seen.unclear else None
    return


@app.cell
def totals(desk, get_seen):
    get_seen()
    _page, _currency = desk.seen.page, desk.currency()
    mo.stop(_page is None)
    _spread = f"A month, over {words.number(desk.seen.months, 'month')}" if _page.count else "A month"
    row(
        mo.stat(words.money(_page.total, _currency), label="Total", bordered=True),
        mo.stat(f"{_page.count:,}", label="Expenses", bordered=True),
        mo.stat(words.money(desk.seen.average, _currency), label=_spread, bordered=True),
    )
    return


@app.cell
def sections():
    get_section, set_section = mo.state(SECTIONS[0])
    Sections({"go": lambda message: set_section(message["to"])}, names=SECTIONS, chosen=SECTIONS[0]).shown()
    return (get_section,)


@app.cell
def notice(desk):
    noticed = Notice({"act": lambda message: desk.undo(message["of"])}, desk.failed)
    noticed.shown()
    return (noticed,)


@app.cell
def noticing(desk, get_notice, noticed):
    get_notice()
    noticed.told = desk.told()
    return


@app.cell
def month_chart(desk, get_seen, get_section):
    get_seen()
    mo.stop(get_section() != "Charts" or not desk.seen.categories)
    by_month = clickable(lambda: charts.by_month(desk.month_bars(), desk.currency()), desk.choose_month)
    by_month
    return


@app.cell
def category_chart(desk, get_seen, get_section):
    get_seen()
    mo.stop(get_section() != "Charts" or not desk.seen.categories)
    by_category = clickable(
        lambda: charts.by_category(desk.category_bars(), desk.currency()), desk.choose_category
    )
    by_category
    return


@app.cell
def hint(desk, get_seen, get_section):
    get_seen()
    mo.stop(get_section() not in ON_LIST or desk.seen.page is None or desk.seen.page.count > 0)
    mo.stop(not desk.seen.is_new, mo.md("Nothing matches these filters."))
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
def actions(asked, desk, get_picked, get_seen, get_section):
    get_seen(), get_picked()
    mo.stop(get_section() not in ON_LIST or desk.seen.page is None or not desk.seen.page.count)
    move_picked = mo.ui.button(
        label="Move to a category", on_change=lambda _: asked.send(desk.ask_to_move_picked())
    )
    move_all = mo.ui.button(
        label=f"Move all {desk.seen.page.count:,} to a category",
        on_change=lambda _: asked.send(desk.ask_to_move_all()),
    )
    save = mo.download(desk.export, "expenses.csv", "text/csv", label="Download as CSV")
    _picked = [mo.md(f"**{desk.picked_in_words()}**"), move_picked] if desk.picked else []
    row(*_picked, move_all, save)
    return


@app.cell
def listing(asked, desk):
    table = Table(
        {
            "sort": lambda message: desk.show(sort=message["by"]),
            "turn": lambda message: desk.turn(message["to"]),
            "pick": lambda message: desk.pick(message["ids"]),
            "act": lambda message: asked.send(desk.ask_to_edit(message["id"])),
        },
        desk.failed,
        page=tables.EMPTY,
    )
    table.shown()
    return (table,)


@app.cell
def listed(desk, get_seen, get_section, table):
    get_seen()
    table.page = desk.table() if get_section() in ON_LIST else tables.EMPTY
    return


@app.cell
def whole_months(get_section):
    whole = mo.ui.switch(label="Whole months, not only up to the same day")
    mo.vstack([mo.md("### This month beside others"), whole]) if get_section() == "Insights" else None
    return (whole,)


@app.cell
def comparison(desk, get_seen, get_section, whole):
    get_seen()
    mo.stop(get_section() != "Insights")
    or_why(lambda: Table(page=tables.compared(desk.compare(whole=whole.value))).shown())
    return


@app.cell
def coming_again(desk, get_seen, get_section):
    get_seen()
    mo.stop(get_section() != "Insights")
    _table = or_why(lambda: Table(page=tables.recurring(desk.recurring())).shown())
    mo.vstack([mo.md("### Likely to come again"), _table])
    return


@app.cell
def statement(desk):
    get_phase, set_phase = mo.state(None, allow_self_loops=True)
    incoming = intake.Intake(desk.ledger, lambda work: mo.Thread(target=work).start(), set_phase, desk.did)
    return get_phase, incoming


@app.cell
def drop(get_phase, incoming, get_section):
    get_phase()
    mo.stop(get_section() != "Import" or incoming.has_file)
    dropped = mo.ui.file(
        kind="area",
        max_size=intake.MAX_FILE_BYTES,
        label="Drop a bank statement here: CSV, OFX, QFX or QIF",
        on_change=lambda files: incoming.take(files[0].contents, files[0].name),
    )
    mo.vstack([mo.md("### Import a statement"), dropped])
    return


@app.cell
def progress(get_phase, incoming):
    get_phase()
    working(incoming.phase) if isinstance(incoming.phase, intake.Working) else None
    return


@app.cell
def proposal(get_phase, incoming, get_section):
    get_phase()
    _phase = incoming.phase
    mo.stop(get_section() != "Import" or not incoming.has_file or isinstance(_phase, intake.Working))
    cancel = mo.ui.button(label="Take another file", on_change=lambda _: incoming.drop())
    land = mo.ui.button(label=f"Import {incoming.count_in_words()}", on_change=lambda _: incoming.land())
    read_again = mo.ui.button(label="Try again", on_change=lambda _: incoming.again())
    _can_land = isinstance(_phase, intake.Proposed) and _phase.brings_something
    _acts = [land] if _can_land else [read_again] if isinstance(_phase, Failed) else []
    mo.vstack(
        [
            mo.md("### Import a statement"),
            said(incoming.told(), "info" if isinstance(_phase, intake.Proposed) else "warn"),
            row(*_acts, cancel),
        ]
    )
    return


@app.cell
def options(get_phase, incoming, get_section):
    get_phase()
    mo.stop(get_section() != "Import" or not incoming.has_file or isinstance(incoming.phase, intake.Working))
    _said = incoming.options
    account = text("Account", _said.account, lambda name: incoming.say(account=name))
    money_out = choice(
        "Money spent is written", intake.MONEY_OUT, _said.spending, lambda sign: incoming.say(spending=sign)
    )
    money_in = choice(
        "Money that came in", intake.MONEY_IN, _said.credits, lambda how: incoming.say(credits=how)
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
    mo.stop(get_section() != "Import" or not isinstance(incoming.phase, intake.Asked))
    mo.stop(not incoming.phase.choices)
    answer = mo.ui.dropdown(incoming.phase.choices, label="It is", on_change=incoming.answer)
    answer
    return


@app.cell
def correction(get_phase, incoming, get_section):
    get_phase()
    mo.stop(get_section() != "Import" or isinstance(incoming.phase, intake.Working))
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
            for field in intake.FIELDS
        }
    )
    mo.accordion({"Not read rightly? Say which column is what": grid(*mapping.values())})
    return


@app.cell
def verdicts(get_phase, incoming, get_section):
    get_phase()
    mo.stop(get_section() != "Import" or not isinstance(incoming.phase, intake.Proposed))
    only = choice("Lines that are", incoming.kinds(), incoming.only, incoming.show_only)
    _lines = Table({"turn": lambda message: incoming.turn(message["to"])}, page=incoming.table())
    mo.vstack([only, _lines.shown()])
    return


@app.cell
def imported(desk, get_notice, get_seen, get_section):
    get_seen(), get_notice()
    mo.stop(get_section() != "Import")
    _undo = {"act": lambda message: desk.undo_import(message["id"])}
    _imports = or_why(lambda: Table(_undo, desk.failed, page=tables.imports(desk.ledger().imports())).shown())
    mo.vstack([mo.md("### Imported so far"), _imports])
    return


@app.cell
def all_categories(asked, desk, get_seen, get_section):
    get_seen()
    mo.stop(get_section() != "Categories")
    _rename = {"act": lambda message: asked.send(desk.ask_to_rename(message["id"]))}
    Table(_rename, desk.failed, page=tables.categories(desk.seen.categories)).shown()
    return


@app.cell
def changes(desk, get_notice, get_seen, get_section):
    get_seen(), get_notice()
    mo.stop(get_section() != "Changes")
    _handlers = {
        "act": lambda message: desk.undo_deed(message["id"]),
        "turn": lambda message: desk.turn_deeds(message["to"]),
    }
    _deeds = or_why(lambda: Table(_handlers, desk.failed, page=desk.deeds()).shown())
    mo.vstack([mo.md("What was edited, deleted or restored, by whomever. Each can be undone."), _deeds])
    return


if __name__ == "__main__":
    app.run()
