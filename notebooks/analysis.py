import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Where the money went")

with app.setup:
    import altair as alt
    import marimo as mo
    import polars as pl

    from expense_lib import ExpenseError, analytics, open_ledger

    AMOUNT = alt.Tooltip("amount:N", title="Total")


@app.function
def drawn(answer: pl.DataFrame, chart: alt.Chart) -> mo.Html:
    """The chart of an answer, or a sentence where there is nothing to draw."""
    if answer.is_empty():
        return mo.md("*Nothing recorded yet.*")
    return mo.ui.altair_chart(
        chart.properties(width="container"), chart_selection=False, legend_selection=False
    )


@app.function
def drawable(answer: pl.DataFrame) -> pl.DataFrame:
    """An answer with its exact total as a text, to be read, and as a float, to be drawn."""
    return answer.with_columns(
        pl.col("total").cast(pl.String).alias("amount"), pl.col("total").cast(pl.Float64)
    )


@app.cell(hide_code=True)
def heading():
    mo.md("""
    # Where the money went

    Five questions to the ledger that `EXPENSE_LEDGER` or `EXPENSE_API_URL` names. It is copied into DuckDB,
    so that any question is answered at once and none can hurt it. Change the code of any cell, or copy it.
    """)
    return


@app.cell
def connection():
    try:
        ledger = open_ledger()
        opened = analytics.connect(ledger)
        currency = ledger.summary().currency
    except ExpenseError as error:
        mo.stop(True, mo.callout(str(error), kind="danger"))
    return currency, opened


@app.cell
def refreshing():
    again = mo.ui.button(label="Bring what is new", value=0, on_click=lambda times: times + 1)
    again
    return (again,)


@app.cell
def current(again, opened):
    again.value  # so that this runs again, and with it all that follows, when the button is clicked
    analytics.refresh(opened)
    con = opened
    return (con,)


@app.cell
def so_far(con, currency):
    count, total = con.view("expenses").aggregate("count(*), coalesce(sum(amount), 0)").fetchone()
    mo.md(f"**{count:,}** expenses, **{total:,} {currency}** in all.")
    return count, total


@app.cell(hide_code=True)
def first_question():
    mo.md("""
    ## How much in each month?
    """)
    return


@app.cell
def by_month(con):
    months = pl.DataFrame(analytics.by_month(con))
    drawn(
        months,
        alt.Chart(drawable(months))
        .mark_bar()
        .encode(
            x=alt.X("yearmonth(month):T", title=None),
            y=alt.Y("total:Q", title=None),
            tooltip=[alt.Tooltip("yearmonth(month):T", title="Month"), AMOUNT],
        ),
    )
    return (months,)


@app.cell(hide_code=True)
def second_question():
    mo.md("""
    ## On what?
    """)
    return


@app.cell
def by_category(con):
    categories = pl.DataFrame(analytics.by_category(con))
    drawn(
        categories,
        alt.Chart(drawable(categories))
        .mark_bar()
        .encode(
            x=alt.X("total:Q", title=None),
            y=alt.Y("category:N", title=None, sort="-x"),
            tooltip=["category:N", AMOUNT],
        ),
    )
    return (categories,)


@app.cell(hide_code=True)
def third_question():
    mo.md("""
    ## On what, month by month?
    """)
    return


@app.cell
def by_month_and_category(con):
    mixed = pl.DataFrame(analytics.by_month_and_category(con))
    drawn(
        mixed,
        alt.Chart(drawable(mixed))
        .mark_bar()
        .encode(
            x=alt.X("yearmonth(month):T", title=None),
            y=alt.Y("total:Q", title=None),
            color=alt.Color("category:N", title=None),
            tooltip=[alt.Tooltip("yearmonth(month):T", title="Month"), "category:N", AMOUNT],
        ),
    )
    return (mixed,)


@app.cell(hide_code=True)
def fourth_question():
    mo.md("""
    ## More than a year ago?
    """)
    return


@app.cell
def against_last_year(con):
    compared = pl.DataFrame(analytics.compared_to_the_year_before(con))
    drawn(
        compared,
        alt.Chart(drawable(compared))
        .mark_bar()
        .encode(
            x=alt.X("yearmonth(month):T", title=None),
            y=alt.Y("total:Q", title=None),
            color=alt.condition(
                "datum.total > datum.year_before", alt.value("#d95f02"), alt.value("#1b9e77")
            ),
            tooltip=[
                alt.Tooltip("yearmonth(month):T", title="Month"),
                AMOUNT,
                alt.Tooltip("year_before:N", title="A year before"),
                alt.Tooltip("difference:N", title="Difference"),
            ],
        )
        .transform_calculate(year_before="toNumber(datum.year_before)"),
    )
    return (compared,)


@app.cell(hide_code=True)
def fifth_question():
    mo.md("""
    ## What comes again?

    The same description three times or more, at regular times, for nearly the same amount.
    """)
    return


@app.cell
def again_and_again(con):
    recurring = pl.DataFrame(analytics.recurring(con))
    mo.md("*Nothing seems to.*") if recurring.is_empty() else mo.ui.table(recurring, selection=None)
    return (recurring,)


@app.cell(hide_code=True)
def your_question():
    mo.md("""
    ## Your own question

    Any SQL on the views `expenses`, `deleted_expenses` and `history`.
    """)
    return


@app.cell
def dearest(con):
    dearest_days = mo.sql(
        """
        SELECT date, count(*) AS count, sum(amount) AS total
          FROM expenses
         GROUP BY date
         ORDER BY total DESC, date
         LIMIT 10
        """,
        engine=con,
    )
    return (dearest_days,)


if __name__ == "__main__":
    app.run()
