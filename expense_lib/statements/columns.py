"""Which column of a table is what, by how banks name them; by content only where nothing is named."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

from expense_lib.domain.errors import FieldError, InvalidInput, StatementUnclear

OWN_KEY = "dedup_key"  # what a ledger's own export names a row's reference
OWN_LEDGER = "ledger"  # beside it: the id of the ledger that it is of

MAX_COLUMNS = 500
MAX_NAME = 200
FIELDS = (
    *("date", "amount", "debit", "credit", "type", "description", "category", "reference", "currency"),
    *("account", "note", "tags"),
)
_OF_OWN = ("account", "note", "tags")  # looked for by these very names, and in a ledger's own export only
OF_SEVERAL = ("description", "reference")  # what may be in several columns together

# Names of columns, best first, in the form of ``_plain``. A reference is only what no two payments can share:
# "Reference" alone is often what the payer wrote, and a counter of rows is another in the next file.
_NAMES = {
    "date": """
        tran date; transaction date; date of transaction; date; booking date; posting date; posted date;
        post date; payment date; date posted; trans date; purchase date; buchungstag; buchungsdatum;
        datum; valutadatum; date operation; date d operation; date de l operation; date comptable; fecha;
        fecha operacion; fecha de operacion; data; data operazione; data contabile; journal date; created;
        created at; completed date; value date; date de valeur; wertstellung; valuta; data da transacao;
        transaktionsdatum; boekdatum; bokforingsdag; dato; paivamaara; data operacji; data transakcji;
        order date; started date; datetime; date time; timestamp; day; due date
    """,
    "amount": """
        amount; net amount; transaction amount; betrag; montant; importe; importo; valor; bedrag; belopp;
        belob; kwota; summa; umsatz; value; total; amount paid; billing amount; gross amount; amount in
        account currency; sum; price; bedrag eur; cost; net
    """,
    "debit": """
        debit; debit euros; debet; lastschrift in chf; dr; debits; debit amount; amount debit; withdrawal;
        withdrawals; withdrawal amount; paid out; money out; soll; ausgang; belastung; lastschrift; cargo;
        cargos; sortie; depenses; auszahlung; ausgaben; uscite; addebiti; out; outflow; spent; payments;
        debet
    """,
    "credit": """
        credit; credit euros; gutschrift in chf; cr; credits; credit amount; amount credit; deposit;
        deposits; deposit amount; paid in; money in; haben; eingang; gutschrift; abono; abonos; entree;
        recettes; einzahlung; einnahmen; entrate; accrediti; in; inflow; received; receipts
    """,
    "type": """
        transaction type; debit credit; credit debit; dr cr; cr dr; debit or credit; credit or debit; soll
        haben; af bij; type; sign; d c; credit debit indicator; cdi
    """,
    "description": """
        description; transaction description; supplier name; supplier; merchant; merchant name; payee;
        payee name; name; partner name; counterparty; counterparty name; beneficiary; auftraggeber
        empfanger; empfanger; beguenstigter; beguenstigter zahlungspflichtiger; beschreibung;
        zahlungsempfanger; libelle; libelle operation; descripcion; concepto; descrizione; descricao;
        omschrijving; naam omschrijving; narrative; details; transaction details; particulars; memo; text;
        buchungstext; verwendungszweck; opis; title; items; note; notes; comment; reason; narration;
        transaction remarks; label; lancamento; tekst; historico; original description; payment reference;
        reference
    """,
    "category": """
        category; kategorie; categorie; categoria; expense type; spending category; purpose; budget
        category; merchant category
    """,
    "reference": """
        dedup key; transaction number; transaction no; transaction id; transaction reference; transaction
        reference number; trans no; transno; trans id; transaction ref; fitid; fit id; n de transaction;
        no de transaction; numero de transaction; transaktionsnummer; transaktions nr; transaktions id;
        numero de operacion; id transaction; id transazione; transactie id; bank reference; bank
        transaction id; unique id; entry reference
    """,
    "currency": """
        currency; currency code; wahrung; monn; monnaie; devise; moneda; divisa; valuta; munt; waluta
    """,
}
_NAMED = {field: [" ".join(name.split()) for name in names.split(";")] for field, names in _NAMES.items()}
_OF_ANOTHER_AMOUNT = re.compile(
    r"\b(original|foreign|refunded|converted|fee|tax|balance|saldo|limit|local|opening|closing)\b"
)
_OF_A_PART = re.compile(
    r"\b(seq|sequence|line|item|position|pos|part|split|lfd|zeile|ligne|linea|linha|regel)\b"
)
_IN_PARTS = re.compile(r"(.*\D) ?1")
_NUMBERED = re.compile(r"[1-9][0-9]{0,3}")

_OUT = {
    "debit",
    "dr",
    "d",
    "s",
    "soll",
    "af",
    "withdrawal",
    "purchase",
    "payment",
    "debit transfer",
    "out",
    "expense",
}
_IN = {
    "credit",
    "cr",
    "c",
    "h",
    "haben",
    "bij",
    "deposit",
    "refund",
    "credit transfer",
    "in",
    "income",
    "return",
}

_SIGNS = {"s", "h", "d", "c", "dr", "cr", "af", "bij", "debit", "credit", "soll", "haben"}


class Columns:
    """The columns of a table by their names; one without a name is called by its number, from 1."""

    def __init__(self, cells: Sequence[str], *, named: bool) -> None:
        names: dict[str, None] = {}
        seen: Counter[str] = Counter()
        for number, cell in enumerate(cells, 1):
            plain = " ".join(cell[:MAX_NAME].split()) if named else ""
            seen[plain] += 1
            name = (
                plain if plain and seen[plain] == 1 else f"{plain} ({seen[plain]})" if plain else str(number)
            )
            names[name if name not in names else f"{name} [{number}]"] = None
        self.names = tuple(names)
        self._plain = [_plain(name) for name in names]

    def of(self, field: str) -> str | None:
        """The column that is most likely this field, by its name."""
        for wanted in _NAMED.get(field, ()):
            if wanted in self._plain:
                return self.names[self._plain.index(wanted)]
        for name, plain in zip(self.names, self._plain, strict=True):
            if field == "amount" and "amount" in plain.split() and not _OF_ANOTHER_AMOUNT.search(plain):
                return name
            if field == "date" and "date" in plain.split() and not _OF_ANOTHER_AMOUNT.search(plain):
                return name
        return None

    def description(self) -> tuple[str, ...]:
        """The columns of the description: those that are numbered as parts of it, or the one named so."""
        for plain in self._plain:
            parts = _IN_PARTS.fullmatch(plain)
            if parts and parts[1].strip() in _NAMED["description"]:
                stem = re.escape(parts[1].strip())
                return tuple(
                    name
                    for name, other in zip(self.names, self._plain, strict=True)
                    if re.fullmatch(f"{stem} ?[1-9][0-9]?", other)
                )
        name = self.of("description")
        return (name,) if name else ()

    def positions(self, *names: str) -> tuple[int, ...]:
        """Where columns stand in a record, from 0."""
        return tuple(map(self.names.index, names))

    def find(self, name: object) -> str | None:
        """The column that somebody means by *name*: its name in any case and spacing, or its number."""
        if isinstance(name, int) and not isinstance(name, bool) and 0 < name <= MAX_COLUMNS:
            name = str(name)
        if not isinstance(name, str):
            return None
        if name in self.names:
            return name
        plain = _plain(name)
        if plain and self._plain.count(plain) == 1:
            return self.names[self._plain.index(plain)]
        if _NUMBERED.fullmatch(name) and int(name) <= len(self.names):
            return self.names[int(name) - 1]
        return None


def propose(columns: Columns) -> dict[str, tuple[str, ...]]:
    """Each field's columns, by their names. Amounts are in one column, or in one for each direction."""
    found: dict[str, tuple[str, ...]] = {
        field: (name,) for field in _NAMED if (name := columns.of(field)) is not None
    }
    if description := columns.description():
        found["description"] = description
    if "debit" in found and "credit" in found and found["debit"] != found["credit"]:
        found.pop("amount", None)
    else:
        found.pop("debit", None)
        found.pop("credit", None)
    if OWN_KEY in columns.names:
        found |= {field: (field,) for field in _OF_OWN if field in columns.names}
        found["reference"] = (OWN_LEDGER, OWN_KEY) if OWN_LEDGER in columns.names else (OWN_KEY,)
    taken: set[str] = set()
    for field in (
        "date",
        "amount",
        "debit",
        "credit",
        "reference",
        "currency",
        "type",
        "category",
        "description",
    ):
        if field in found and set(found[field]) & taken:
            del found[field]
        taken |= set(found.get(field, ()))
    return found


def is_whole(mapping: Mapping[str, tuple[str, ...]]) -> bool:
    """It says where date and amount are."""
    return "date" in mapping and ("amount" in mapping or ("debit" in mapping and "credit" in mapping))


def as_asked(columns: Columns, mapping: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """The columns that a given mapping names; fields mapped to nothing are left out.

    Raises:
        InvalidInput: it has an unknown field, or names a column that is not there.
    """
    errors = [
        FieldError(f"mapping.{field}", "is not a known field") for field in mapping if field not in FIELDS
    ]
    found: dict[str, tuple[str, ...]] = {}
    for field, given in mapping.items():
        if given in (None, "", [], ()) or field not in FIELDS:
            continue
        parts = given if isinstance(given, list | tuple) and field in OF_SEVERAL else (given,)
        names = [columns.find(part) for part in parts]
        if None in names:
            known = ", ".join(columns.names[:30])
            errors.append(FieldError(f"mapping.{field}", f"must name a column; there are: {known}"))
        else:
            found[field] = tuple(filter(None, names))
    if "amount" in found and ("debit" in found or "credit" in found):
        errors.append(FieldError("mapping.amount", "can't stand beside debit and credit"))
    if errors:
        raise InvalidInput(errors)
    return found


def ask_for(field: str, columns: Columns, found: Mapping[str, tuple[str, ...]]) -> StatementUnclear:
    """The error that asks which column a field is; *found* are those of the others."""
    message = f"must be said: no column is clearly that; there are: {', '.join(columns.names[:30])}"
    return StatementUnclear([FieldError(f"mapping.{field}", message)], columns.names, found)


def is_of_a_part(name: str) -> bool:
    """A column is named like the number of a part within something: ``Seq No``, ``Line``, ``Pos.``."""
    return _OF_A_PART.search(_plain(name)) is not None


def says_side(cells: Sequence[str]) -> bool:
    """A column of which every cell is one of the signs for debit and credit, whatever its name."""
    return all(_plain(cell) in _SIGNS for cell in cells)


def side(text: str) -> str:
    """The direction that a column of types names: D for money out, C for money in, empty for neither."""
    plain = _plain(text)
    return "D" if plain in _OUT else "C" if plain in _IN else ""


def _plain(name: str) -> str:
    """A column's name as small letters and digits without accents, words apart, nothing in brackets."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name[:MAX_NAME])
    letters = unicodedata.normalize("NFKD", apart).casefold().replace("ß", "ss")
    base = "".join(character for character in letters if not unicodedata.combining(character))
    words = re.sub(r"[^a-z0-9#]+", " ", re.sub(r"\([^)]*\)", " ", base)).split()
    return " ".join(words)
