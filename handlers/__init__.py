"""The ledger over HTTP: ``wsgi`` the protocol, ``reading`` what comes in, ``problems`` what is refused."""
