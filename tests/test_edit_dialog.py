from __future__ import annotations

from typing import Any, NoReturn

import pytest

from expense_lib import Ledger, LedgerUnavailable
from expense_lib.app.edit_dialog import Dialog
from expense_lib.app.edits import Done
from expense_lib.app.entry import FIELDS
from expense_lib.domain.filters import Filter
from tests.builders import an_expense, fields

pytestmark = pytest.mark.of_the_file

CLOSED = {"close": True, "id": "m1"}


@pytest.fixture
def dialog(ledger: Ledger) -> Dialog:
    ledger.record(an_expense())
    ledger.record(an_expense(amount="-3.00", refund=True, category="Fuel, oil"))
    return Dialog(lambda: ledger, lambda: "USD")


def send(dialog: Dialog, **values: Any) -> tuple[dict[str, Any], Done | None]:
    return dialog.send({"id": "m1", "values": values})


def lunch(**changes: Any) -> dict[str, Any]:
    return {**fields(), "refund": False} | changes


def test_edit_asks_for_the_fields_as_they_are_and_tells_what_happened(dialog: Dialog, ledger: Ledger) -> None:
    ledger.amend(2, {"description": ""}, version=1)
    ask = dialog.edit(ledger.get(2))["ask"]
    assert (ask["title"], ask["submit"], ask["acts"]) == ("Edit expense", "Save", ["cancel", "delete"])
    assert tuple(ask["fields"]) == FIELDS
    assert ask["values"] == {
        **fields(amount="3.00", category="Fuel, oil", description=""),
        "refund": True,
        "account": "",
        "note": "",
        "tags": "",
    }
    assert [line[17:] for line in ask["lines"]] == [
        "edited: description from Lunch to nothing",
        "added: -3.00 USD, Fuel, oil, Lunch, 2026-11-22",
    ]


def test_annotations_are_edited_and_their_history_is_told(dialog: Dialog, ledger: Ledger) -> None:
    dialog.edit(ledger.get(1))
    send(dialog, **lunch(account="Giro", note="x" * 100, tags="trip #work"))
    ask = dialog.edit(ledger.get(1))["ask"]
    assert [ask["values"][name] for name in ("account", "note", "tags")] == ["Giro", "x" * 100, "trip work"]
    assert [line[17:] for line in ask["lines"][:1]] == [
        f"edited: account from nothing to Giro, note from nothing to {'x' * 80}…, tags from nothing to trip work"
    ]
    send(dialog, **lunch(account="", note=" ", tags=","))
    cleared = ledger.get(1)
    assert (cleared.account, cleared.note, cleared.tags) == (None, "", ())


def test_unchanged_answer_changes_nothing(dialog: Dialog, ledger: Ledger) -> None:
    for expense in ledger.search().items:
        ask = dialog.edit(expense)["ask"]
        answer, done = send(dialog, **ask["values"])
        assert (answer, done and done.text) == (CLOSED, "Nothing was changed.")
    assert ledger.changes() == []


def test_answer_is_written_and_closes_the_dialog(dialog: Dialog, ledger: Ledger) -> None:
    dialog.edit(ledger.get(1))
    answer, done = send(dialog, **lunch(amount="13"))
    assert (answer, str(ledger.get(1).amount)) == (CLOSED, "13.00")
    assert done
    assert done.undo


def test_edit_sent_again_with_another_value_edits_what_the_first_made(dialog: Dialog, ledger: Ledger) -> None:
    dialog.edit(ledger.get(1))
    for number, amount in enumerate(("13", "14", "14")):
        answer, done = dialog.send({"id": number, "values": lunch(amount=amount)})
        assert (answer, bool(done)) == ({"close": True, "id": number}, True)
    assert [str(version.after and version.after.amount) for version in ledger.history(1)] == [
        *("12.50", "13.00", "14.00")
    ]
    assert dialog.delete()[1]
    assert ledger.search().count == 1


def test_category_renamed_twice_from_one_dialog_has_the_second_name(dialog: Dialog, ledger: Ledger) -> None:
    dialog.rename("Food")
    for number, name in enumerate(("Meals", "Eating")):
        assert dialog.send({"id": number, "values": {"category": name}})[1]
    assert [each.name for each in ledger.categories()] == ["Eating", "Fuel, oil"]


def test_wrong_answer_is_told_at_its_field_and_can_be_corrected(dialog: Dialog, ledger: Ledger) -> None:
    dialog.edit(ledger.get(1))
    answer, done = send(dialog, **lunch(amount="1.005"))
    assert done is None
    assert answer["outcome"] == {
        "id": "m1",
        "kind": "danger",
        "text": "Not saved yet.",
        "errors": {"amount": "Amount must have at most 2 fraction digits in USD."},
    }
    assert send(dialog, **lunch(amount="1.05"))[0] == CLOSED


def test_delete_deletes_the_expense_that_was_asked_about_once(dialog: Dialog, ledger: Ledger) -> None:
    dialog.edit(ledger.get(1))
    for _ in range(2):
        answer, done = dialog.delete()
        assert (answer, bool(done and done.undo)) == ({"close": True, "id": None}, True)
    assert [each.id for each in ledger.search().items] == [2]
    assert len(ledger.changes()) == 1


def test_delete_of_what_was_changed_meanwhile_is_refused(dialog: Dialog, ledger: Ledger) -> None:
    dialog.edit(ledger.get(1))
    ledger.amend(1, {"amount": "20"}, version=1)
    answer, done = dialog.delete()
    assert (answer["outcome"]["kind"], answer["outcome"]["id"], done) == ("danger", None, None)
    assert ledger.get(1).version == 2


@pytest.mark.parametrize("ask", ["recategorise", "rename", None])
def test_delete_deletes_nothing_where_no_expense_is_asked_about(
    dialog: Dialog, ledger: Ledger, ask: str | None
) -> None:
    dialog.edit(ledger.get(1))
    if ask == "recategorise":
        dialog.recategorise(1, ids=[1])
    elif ask == "rename":
        dialog.rename("Food")
    else:
        dialog = Dialog(lambda: ledger, lambda: "USD")
    assert dialog.delete() == ({"close": True, "id": None}, None)
    assert ledger.search().count == 2


def test_nothing_is_written_where_nothing_was_asked(ledger: Ledger) -> None:
    answer, done = send(Dialog(lambda: ledger, lambda: "USD"), **lunch())
    assert (answer["outcome"]["text"], done) == ("Nothing was asked.", None)


def test_expenses_are_moved_to_the_category_that_is_answered(dialog: Dialog, ledger: Ledger) -> None:
    ask = dialog.recategorise(1, ids=[2])["ask"]
    assert (ask["title"], ask["fields"]) == ("Move 1 expense to a category", ["category"])
    assert send(dialog, category="Travel, far")[0] == CLOSED
    assert [ledger.get(each).category for each in (1, 2)] == ["Food", "Travel, far"]
    ask = dialog.recategorise(2_000, where=Filter(category=("Food",)))["ask"]
    assert ask["title"] == "Move all that match, 2,000 now, to a category"
    send(dialog, category="travel, FAR")
    assert [each.name for each in ledger.categories()] == ["Travel, far"]


def test_category_is_renamed_as_it_is_answered(dialog: Dialog, ledger: Ledger) -> None:
    ask = dialog.rename("Fuel, oil")["ask"]
    assert (ask["title"], ask["values"]) == ("Rename Fuel, oil", {"category": "Fuel, oil"})
    answer, done = send(dialog, category="<i>Oil</i>")
    assert (answer, done and done.text) == (
        CLOSED,
        "Fuel, oil is now <i>Oil</i>, which has 1 expense.",
    )


@pytest.mark.parametrize(
    "ask",
    [
        "recategorise",
        "rename",
    ],
)
@pytest.mark.parametrize("category", [" ", "\0", "x" * 101], ids=["empty", "control", "long"])
def test_wrong_category_is_told_at_its_field(dialog: Dialog, ledger: Ledger, ask: str, category: str) -> None:
    dialog.recategorise(1, ids=[1]) if ask == "recategorise" else dialog.rename("Food")
    answer, done = send(dialog, category=category)
    assert (list(answer["outcome"]["errors"]), done) == (["category"], None)
    assert answer["outcome"]["text"] == "Not saved yet."
    assert ledger.changes() == []


@pytest.mark.parametrize("ask", ["rename", "recategorise"])
def test_answer_sent_twice_is_told_as_the_first_time(dialog: Dialog, ask: str) -> None:
    dialog.rename("Food") if ask == "rename" else dialog.recategorise(1, ids=[1])
    (first, done), (second, again) = (send(dialog, category="Meals") for _ in range(2))
    assert first == second == CLOSED
    assert done
    assert done.undo
    assert again is None or again.undo


def test_ledger_that_is_down_is_told_in_the_dialog(ledger: Ledger) -> None:
    expense = ledger.record(an_expense()).expense

    def down() -> NoReturn:
        raise LedgerUnavailable("It is down.")

    dialog = Dialog(down, lambda: "USD")
    assert dialog.edit(expense)["ask"]["lines"] == ["It is down."]
    for answer, done in (send(dialog, **lunch(amount="13")), dialog.delete()):
        assert (answer["outcome"]["text"], done) == ("It is down.", None)
