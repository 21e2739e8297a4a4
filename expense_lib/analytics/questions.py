"""Ready-made questions. Each is one SQL constant on the view ``expenses``; amounts are in major units, exact.

Each function takes a connection that ``connect`` returned and gives a relation, which is computed when it is
looked at: ``.fetchall()``, ``polars.DataFrame(relation)``, ``.df()`` for pandas, ``.arrow()``.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection, DuckDBPyRelation

# Rows by month: month DATE (its first day), count BIGINT, total DECIMAL(38, exponent).
BY_MONTH = """
    SELECT date_trunc('month', date)::DATE AS month, count(*) AS count, sum(amount) AS total
      FROM expenses
     GROUP BY month
     ORDER BY month
"""

# Rows by falling total: category VARCHAR, count BIGINT, total DECIMAL(38, exponent).
BY_CATEGORY = """
    SELECT category, count(*) AS count, sum(amount) AS total
      FROM expenses
     GROUP BY category
     ORDER BY total DESC, category
"""

# Rows by month and category: month DATE, category VARCHAR, count BIGINT, total DECIMAL(38, exponent).
BY_MONTH_AND_CATEGORY = """
    SELECT date_trunc('month', date)::DATE AS month, category, count(*) AS count, sum(amount) AS total
      FROM expenses
     GROUP BY month, category
     ORDER BY month, category
"""

# Rows by day: date DATE, total DECIMAL(38, exponent) of the day, running_total of all days up to it.
RUNNING_TOTAL = """
    SELECT date, sum(amount) AS total, sum(sum(amount)) OVER (ORDER BY date) AS running_total
      FROM expenses
     GROUP BY date
     ORDER BY date
"""

# Rows by falling total: description VARCHAR, count BIGINT, total DECIMAL(38, exponent), last DATE.
TOP_PAYEES = """
    SELECT description, count(*) AS count, sum(amount) AS total, max(date) AS last
      FROM expenses
     WHERE description <> ''
     GROUP BY description
     ORDER BY total DESC, description
     LIMIT $rows
"""

# Rows by month, from the first to the last with any expense: month DATE, total DECIMAL(38, exponent),
# year_before: the total of the same month a year earlier, 0 if it had none; difference between both.
MONTHS_COMPARED = """
    WITH monthly AS (
        SELECT date_trunc('month', date)::DATE AS month, sum(amount) AS total FROM expenses GROUP BY month
    ),
    months AS (
        SELECT unnest(generate_series(min(month), max(month), INTERVAL 1 MONTH))::DATE AS month FROM monthly
    )
    SELECT month, COALESCE(now.total, 0) AS total, COALESCE(before.total, 0) AS year_before,
           COALESCE(now.total, 0) - COALESCE(before.total, 0) AS difference
      FROM months
      LEFT JOIN monthly AS now USING (month)
      LEFT JOIN monthly AS before ON before.month = (months.month - INTERVAL 1 YEAR)::DATE
     ORDER BY month
"""

# Rows by day that has any expense: date DATE, total DECIMAL(38, exponent), year_before: the total of the same
# day a year earlier (of 28 February for 29 February), 0 if it had none; difference between both.
DAYS_COMPARED = """
    WITH daily AS (SELECT date, sum(amount) AS total FROM expenses GROUP BY date)
    SELECT now.date, now.total, COALESCE(before.total, 0) AS year_before,
           now.total - COALESCE(before.total, 0) AS difference
      FROM daily AS now
      LEFT JOIN daily AS before ON before.date = (now.date - INTERVAL 1 YEAR)::DATE
     ORDER BY now.date
"""

# Rows by falling amount: description VARCHAR, category VARCHAR (the last one), count BIGINT, amount DECIMAL
# (the last one), every DOUBLE (days between two, the median), last DATE, next DATE (when the next is due;
# null after the year 9999).
# Likely recurring: the same description three times or more, each amount within a tenth of their median,
# each interval within a fifth of theirs or three days, which is 5 days at least.
RECURRING = """
    WITH paid AS (
        SELECT description, category, amount, date,
               date - lag(date) OVER (PARTITION BY description ORDER BY date, id) AS days
          FROM expenses
         WHERE description <> '' AND amount > 0
    ),
    usual AS (
        SELECT description, median(CAST(amount AS DECIMAL(38, 6))) AS amount, median(days) AS days
          FROM paid
         GROUP BY description
        HAVING count(*) >= 3 AND median(days) >= 5
    )
    SELECT description, arg_max(paid.category, paid.date) AS category, count(*) AS count,
           arg_max(paid.amount, paid.date) AS amount, any_value(usual.days) AS every, max(paid.date) AS last,
           CASE WHEN max(paid.date) + round(any_value(usual.days))::INTEGER <= DATE '9999-12-31'
                THEN max(paid.date) + round(any_value(usual.days))::INTEGER END AS next
      FROM paid
      JOIN usual USING (description)
     GROUP BY description
    HAVING bool_and(10 * abs(paid.amount - usual.amount) <= usual.amount)
       AND bool_and(paid.days IS NULL OR abs(paid.days - usual.days) <= greatest(usual.days / 5, 3))
     ORDER BY amount DESC, description
"""


def by_month(con: DuckDBPyConnection) -> DuckDBPyRelation:
    """What was spent month by month, as BY_MONTH has it."""
    return con.sql(BY_MONTH)


def by_category(con: DuckDBPyConnection) -> DuckDBPyRelation:
    """What was spent in each category, as BY_CATEGORY has it."""
    return con.sql(BY_CATEGORY)


def by_month_and_category(con: DuckDBPyConnection) -> DuckDBPyRelation:
    """What was spent in each category month by month, as BY_MONTH_AND_CATEGORY has it."""
    return con.sql(BY_MONTH_AND_CATEGORY)


def running_total(con: DuckDBPyConnection) -> DuckDBPyRelation:
    """What was spent up to each day, as RUNNING_TOTAL has it."""
    return con.sql(RUNNING_TOTAL)


def top_payees(con: DuckDBPyConnection, rows: int = 20) -> DuckDBPyRelation:
    """The descriptions that came to most, as TOP_PAYEES has it; at most *rows* of them, 1 or more."""
    if rows < 1:
        raise ValueError("rows is 1 or more.")
    return con.sql(TOP_PAYEES, params={"rows": rows})


def compared_to_the_year_before(con: DuckDBPyConnection, by: str = "month") -> DuckDBPyRelation:
    """Each month, or each day, beside the same a year earlier, as MONTHS_COMPARED and DAYS_COMPARED have it.

    Raises:
        ValueError: *by* is neither ``"month"`` nor ``"day"``.
    """
    if by not in ("month", "day"):
        raise ValueError('by is "month" or "day".')
    return con.sql(MONTHS_COMPARED if by == "month" else DAYS_COMPARED)


def recurring(con: DuckDBPyConnection) -> DuckDBPyRelation:
    """Payments that likely come again, and when, as RECURRING has it."""
    return con.sql(RECURRING)
