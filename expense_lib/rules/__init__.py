"""The rules of writing to a ledger: recording, editing, undoing, importing. All SQL is the store's."""
