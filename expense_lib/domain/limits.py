"""The limits of what a ledger takes and gives, each in one place."""

MAX_CATEGORY_LENGTH = 100
MAX_DESCRIPTION_LENGTH = 500
MAX_ACCOUNT_LENGTH = 100
MAX_NOTE_LENGTH = 2_000
MAX_LAYOUT_LENGTH = 100
MAX_TAGS = 20
MAX_TAG_LENGTH = 50
MAX_PAGE = 500
MAX_PARTS = 100
MAX_LOG_ENTRIES = 10_000
MAX_ID = 2**63 - 1  # SQLite's largest integer

DEFAULT_CATEGORY = "Uncategorised"  # of a row of a statement for which nothing says one
