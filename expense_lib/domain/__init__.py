"""The domain, independent of any store: money, texts, keys, expenses, filters and results. No I/O."""
