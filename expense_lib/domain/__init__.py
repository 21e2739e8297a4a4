"""What is true whatever keeps the ledger: money, texts, keys, expenses, filters and results. No I/O."""
