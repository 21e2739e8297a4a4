from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, NoReturn

import pytest

from expense_lib import Ledger, LedgerUnavailable, open_ledger
from expense_lib.app.answers import Answers
from expense_lib.app.entry import Recorder
from expense_lib.app.entry_form import OFFERED, EntryForm
from expense_lib.statements import read
from tests.builders import an_expense, fields, handler

pytestmark = pytest.mark.of_the_file

_ids = itertools.count(1)


def a_message(**changes: Any) -> dict[str, Any]:
    """What the form sends of a lunch, under an id of its own."""
    return {"id": f"m{next(_ids)}", "values": {**fields(), "refund": False} | changes}


class Talk(EntryForm):
    """A form of which the answers alone are looked at."""

    def sends(self, message: dict[str, Any]) -> dict[str, Any]:
        return self.send(message)[0]


def talk(ledger: Recorder, currency: str = "USD", answers: Answers | None = None) -> Talk:
    return Talk(lambda: ledger, lambda: currency, answers)


def decides(form: Talk, message: dict[str, Any], name: str, **more: Any) -> dict[str, Any]:
    """What the tray sends of an entry that was decided."""
    return form.sends(message | {"as": name} | more)


def click(form: EntryForm, name: str) -> dict[str, Any]:
    """A click on a button of the outcome that is shown."""
    return form.act({"name": name, "of": form.number})


def down() -> NoReturn:
    raise LedgerUnavailable("It is down.")


def names(answer: dict[str, Any]) -> list[str]:
    return [act["name"] for act in answer["acts"]]


class Patchy:
    """A ledger that can be reached only now and then."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.is_up = True

    def __call__(self) -> Ledger:
        return self.ledger if self.is_up else down()


def test_answer_says_what_was_added(ledger: Ledger) -> None:
    message = a_message()
    assert talk(ledger).sends(message) == {
        "id": message["id"],
        "kind": "added",
        "text": "Added: 12.50 USD, Food, Lunch, 2026-11-22.",
        "errors": {},
        "acts": [{"name": "undo", "label": "Undo"}],
        "of": 1,
    }


@pytest.mark.parametrize("changes", [{}, {"amount": "12,50"}, {"amount": ""}], ids=str)
def test_message_sent_twice_is_answered_twice_and_recorded_once(
    ledger: Ledger, changes: dict[str, str]
) -> None:
    form, message = talk(ledger), a_message(**changes)
    first = form.sends(message)
    before = len(ledger.log())
    assert form.sends(message) == first
    assert len(ledger.log()) == before


def test_two_messages_of_two_pages_are_told_apart(ledger: Ledger) -> None:
    assert talk(ledger).sends(a_message())["kind"] == "added"
    assert talk(ledger).sends(a_message())["text"].startswith("Already recorded at ")


def test_same_payment_is_added_as_another_one_however_often_it_is_clicked(ledger: Ledger) -> None:
    form, again = talk(ledger), a_message()
    form.sends(a_message())
    assert names(form.sends(again)) == ["another", "same"]
    answers = [decides(form, again, "another") for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["text"].endswith("2026-11-22, number 2 of its kind that day.")
    assert answers[0]["id"] == again["id"]
    assert ledger.search().count == 2


def test_two_tabs_and_an_app_started_anew_add_one_of_one_entry(ledger: Ledger) -> None:
    again, shared = a_message(), Answers()
    talk(ledger).sends(a_message())
    for form in (talk(ledger, answers=shared), talk(ledger, answers=shared), talk(ledger)):
        form.sends(again)
        assert decides(form, again, "another")["kind"] == "added"
    assert ledger.search().count == 2


def test_entry_that_another_tab_sends_again_is_no_repeat(ledger: Ledger) -> None:
    message, shared = a_message(), Answers()
    kinds = [talk(ledger, answers=shared).sends(message)["kind"] for _ in range(2)]
    assert kinds == ["added", "added"]


def test_button_of_an_earlier_outcome_does_nothing(ledger: Ledger) -> None:
    form = talk(ledger)
    earlier = form.sends(a_message(amount="3"))["of"]
    later = form.sends(a_message(amount="9"))
    assert form.act({"name": "undo", "of": earlier})["text"] == later["text"]
    assert ledger.search().count == 2


def test_what_was_added_can_be_taken_back_once_and_restored(ledger: Ledger) -> None:
    form = talk(ledger)
    form.sends(a_message(amount="3", refund=True))
    taken = [click(form, "undo") for _ in range(2)]
    assert taken[0] == taken[1]
    assert taken[0]["text"] == "Taken back: -3.00 USD, Food, Lunch, 2026-11-22. It is deleted."
    assert taken[0]["fill"] == {
        **fields(amount="3.00"),
        "refund": True,
        "account": "",
        "note": "",
        "tags": "",
    }
    assert ledger.search().count == 0
    restored = [click(form, "restore") for _ in range(2)]
    assert (restored[0]["kind"], restored[0]) == ("added", restored[1])
    assert (ledger.search().items[0].id, ledger.search().count) == (1, 1)
    assert click(form, "undo")["kind"] == "warn"
    assert ledger.search().count == 0


ANNOTATED = {"account": " Giro ", "note": "With Kim", "tags": "#work, Trip"}


def test_annotations_are_recorded_and_come_back_when_taken_back(ledger: Ledger) -> None:
    form = talk(ledger)
    answer = form.sends(a_message(**ANNOTATED))
    assert answer["text"] == "Added: 12.50 USD, Food, Lunch, 2026-11-22, Giro, #Trip, #work."
    recorded = ledger.get(1)
    assert (recorded.account, recorded.note, recorded.tags) == ("Giro", "With Kim", ("Trip", "work"))
    fill = click(form, "undo")["fill"]
    assert (fill["account"], fill["note"], fill["tags"]) == ("Giro", "With Kim", "Trip work")


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({}, ""),
        ({"account": "GIRO", "tags": "WORK trip"}, ""),
        ({"note": "Alone"}, "; its note differs"),
        ({"tags": "work"}, "; its tags differ"),
        ({"account": "Cash", "note": "Alone", "tags": "x"}, "; its account, note and tags differ"),
    ],
    ids=str,
)
def test_repeat_says_which_of_the_typed_annotations_differ(
    ledger: Ledger, changes: dict[str, str], differing: str
) -> None:
    form = talk(ledger)
    form.sends(a_message(**ANNOTATED))
    text = form.sends(a_message(**changes))["text"]
    assert text.startswith("Already recorded at ")
    assert text.endswith(f": 12.50 USD, Food, Lunch, 2026-11-22, Giro, #Trip, #work{differing}.")
    assert ledger.get(1).note == "With Kim"


def test_repeat_of_what_was_corrected_since_says_in_what_it_differs(ledger: Ledger) -> None:
    form = talk(ledger)
    form.sends(a_message())
    ledger.amend(1, {"amount": "13"}, version=1)
    assert form.sends(a_message())["text"].endswith("13.00 USD, Food, Lunch, 2026-11-22; its amount differs.")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"account": "x" * 101}, "account"),
        ({"note": "x" * 2001}, "note"),
        ({"tags": "a#b"}, "tags"),
        ({"tags": " ".join(map(str, range(21)))}, "tags"),
    ],
    ids=["account", "note", "tag", "many tags"],
)
def test_wrong_annotation_is_told_at_its_field(ledger: Ledger, changes: dict[str, str], field: str) -> None:
    answer = talk(ledger).sends(a_message(**changes))
    assert list(answer["errors"]) == [field]
    assert (answer["kind"], names(answer)) == ("refused", ["edit", "drop"])


def test_what_was_taken_back_and_corrected_is_another_expense(ledger: Ledger) -> None:
    form = talk(ledger)
    form.sends(a_message())
    form.sends({"id": "corrected", "values": click(form, "undo")["fill"] | {"amount": "12.60"}})
    assert [str(each.amount) for each in ledger.search().items] == ["12.60"]


def test_undo_leaves_alone_what_somebody_changed_meanwhile(ledger: Ledger) -> None:
    form = talk(ledger)
    form.sends(a_message())
    ledger.amend(1, {"amount": "20"}, version=1)
    answer = click(form, "undo")
    assert answer["text"].startswith("12.50 USD, Food, Lunch, 2026-11-22 is not taken back: ")
    assert (answer["kind"], ledger.get(1).version) == ("danger", 2)


def test_undo_of_what_somebody_deleted_meanwhile_stays_deleted(ledger: Ledger) -> None:
    form = talk(ledger)
    form.sends(a_message())
    ledger.delete(1)
    assert click(form, "undo")["kind"] == "warn"
    assert len(ledger.log()) == 2


def test_undo_that_did_not_reach_the_ledger_can_be_tried_again(ledger: Ledger) -> None:
    patchy = Patchy(ledger)
    form = Talk(patchy, lambda: "USD")
    form.sends(a_message())
    patchy.is_up = False
    answer = click(form, "undo")
    assert answer["kind"] == "danger"
    patchy.is_up = True
    assert names(answer)
    click(form, names(answer)[0])
    assert ledger.search().count == 0


def a_bank_told(ledger: Ledger, text: str) -> None:
    plan = read(f"Date,Description,Amount\n2026-11-22,{text},12.50\n".encode(), account="Giro")
    ledger.import_statement(plan)


def test_undo_of_what_the_bank_had_told_of_leaves_the_bank_its_payment(ledger: Ledger) -> None:
    a_bank_told(ledger, "LUNCH BISTRO 0815")
    form = talk(ledger)
    answer = form.sends(a_message())
    assert answer["text"].endswith(", Giro. The bank had told of it, and it is there once.")
    assert [(each.description, each.category) for each in ledger.search().items] == [("Lunch", "Food")]
    undone = click(form, "undo")
    assert (undone["text"][-30:], undone["acts"]) == (" It is as the bank told of it.", [])
    assert undone["fill"]["description"] == "Lunch"
    assert [each.description for each in ledger.search().items] == ["LUNCH BISTRO 0815"]


def test_undo_of_what_the_bank_had_told_of_and_somebody_edited_is_refused(ledger: Ledger) -> None:
    a_bank_told(ledger, "LUNCH BISTRO 0815")
    form = talk(ledger)
    form.sends(a_message())
    ledger.amend(1, {"description": "Brunch", "category": "Fun", "date": "2026-11-20"}, version=None)
    assert click(form, "undo")["kind"] == "danger"
    assert [each.description for each in ledger.search().items] == ["Brunch"]


def test_what_may_be_a_payment_of_the_bank_is_said_to_be_asked_about(ledger: Ledger) -> None:
    a_bank_told(ledger, "TRATTORIA")
    answer = talk(ledger).sends(a_message())
    assert answer["kind"] == "added"
    assert answer["text"].endswith("it counts nowhere until you decide below.")


def test_deleted_payment_typed_again_can_be_restored(ledger: Ledger) -> None:
    ledger.record(an_expense())
    ledger.delete(1)
    form, message = talk(ledger), a_message()
    answer = form.sends(message)
    assert answer["text"] == "This was recorded as number 1 and then deleted."
    assert names(answer) == ["restore", "another", "drop"]
    assert decides(form, message, "restore", expense=answer["expense"])["kind"] == "added"
    assert ledger.search().items[0].id == 1


@pytest.mark.parametrize("name", ["undo", "another", "restore", "again", "cancel", ""])
def test_button_that_is_not_there_does_nothing(ledger: Ledger, name: str) -> None:
    form = talk(ledger)
    click(form, name)
    form.sends(a_message(amount="12,50"))
    assert click(form, name)["text"] == ""
    assert ledger.log() == []


def test_what_is_wrong_is_told_at_its_field(ledger: Ledger) -> None:
    wrong = a_message(amount="-1", category="x" * 101, description="x" * 501, date="2026-02-29")
    answer = talk(ledger).sends(wrong)
    assert answer["text"] == " ".join(answer["errors"].values())
    assert answer["errors"] == {
        "refund": "Refund must be true for a negative amount, which says that money came back.",
        "category": "Category must have at most 100 characters.",
        "description": "Description must have at most 500 characters.",
        "date": "Date must be a day that exists in the calendar.",
    }
    assert ledger.log() == []


@pytest.mark.parametrize(
    ("currency", "amount", "kind"),
    [
        ("JPY", "1200", "added"),
        ("JPY", "0.5", "refused"),
        ("KWD", "1.005", "added"),
        ("BHD", "0.0001", "refused"),
    ],
)
def test_amount_has_the_digits_of_the_currency(tmp_path: Path, currency: str, amount: str, kind: str) -> None:
    answer = talk(Ledger(tmp_path / "expenses.db", currency), currency).sends(a_message(amount=amount))
    assert (answer["kind"], list(answer["errors"])) == (kind, ["amount"] if kind == "refused" else [])


def test_what_was_typed_is_sent_again_once_the_ledger_can_be_reached(ledger: Ledger) -> None:
    patchy = Patchy(ledger)
    form = Talk(patchy, lambda: "USD")
    patchy.is_up = False
    message = a_message()
    answer = form.sends(message)
    assert answer["text"] == "Not added: It is down. What you typed is kept."
    assert names(answer) == ["send", "edit", "drop"]
    patchy.is_up = True
    assert form.sends(message)["kind"] == "added"
    assert ledger.search().count == 1


def test_text_of_a_person_is_told_as_it_is(ledger: Ledger) -> None:
    answer = talk(ledger).sends(a_message(description="<b>5% & 'more'</b>", category="Food, drinks"))
    assert answer["text"] == "Added: 12.50 USD, Food, drinks, <b>5% & 'more'</b>, 2026-11-22."


def offered(ledger: Ledger, text: str) -> list[tuple[str, str]]:
    answer = talk(ledger).complete(text)
    assert answer["text"] == text
    return [(item["text"], item["category"]) for item in answer["items"]]


def test_descriptions_are_offered_by_their_beginning_then_the_latest_with_their_category(
    ledger: Ledger,
) -> None:
    for day, (description, category) in enumerate(
        [
            ("Tea", "Food"),
            ("Teapot", "Home"),
            ("Iced tea", "Food"),
            ("tea", "Drinks"),
            ("Tea", "Drinks"),
            ("Bus", "Teaching"),
        ],
        1,
    ):
        ledger.record(an_expense(description=description, category=category, date=f"2026-11-{day:02d}"))
    expected = [("Tea", "Drinks"), ("tea", "Drinks"), ("Teapot", "Home"), ("Iced tea", "Food")]
    assert offered(ledger, "TEA") == expected
    assert offered(ledger, "coffee") == []


def test_category_that_is_offered_is_the_commonest_of_the_last_five(ledger: Ledger) -> None:
    for day, category in enumerate(["Home", "Home", "Home", "Food", "Food", "Drinks", "Food"], 1):
        ledger.record(an_expense(description="Tea", category=category, date=f"2026-11-{day:02d}"))
    assert offered(ledger, "tea") == [("Tea", "Food")]


def test_category_that_nobody_knows_is_asked_for_with_the_commonest(ledger: Ledger) -> None:
    for amount, category in (("1", "Food"), ("2", "Fun"), ("3", "Fun")):
        ledger.record(an_expense(amount=amount, category=category))
    answer = talk(ledger).sends(a_message(description="Zoo", category=""))
    assert (answer["kind"], list(answer["errors"])) == ("category", ["category"])
    assert [act.get("in") for act in answer["acts"]] == ["Fun", "Food", None, None]


def test_so_many_descriptions_are_offered_at_most(ledger: Ledger) -> None:
    for number in range(OFFERED + 1):
        ledger.record(an_expense(description=f"Lunch {number}"))
    assert len(offered(ledger, "lunch")) == OFFERED


@pytest.mark.parametrize("text", ["Lunch with", "e\u0301te\u0301", "STRASSE", "%", "_", "<b>"], ids=ascii)
def test_descriptions_are_offered_as_the_list_finds_them(ledger: Ledger, text: str) -> None:
    for description in ("Lunch with Kim", "\u00e9t\u00e9", "Stra\u00dfe", "50% off", "a_b", "<b>Tea</b>"):
        ledger.record(an_expense(description=description))
    assert len(offered(ledger, text)) == 1


@pytest.mark.parametrize("text", [" Lunch", "Lunch  with", "kim "])
def test_space_too_many_hides_no_description(ledger: Ledger, text: str) -> None:
    ledger.record(an_expense(description="Lunch with Kim"))
    assert offered(ledger, text) == [("Lunch with Kim", "Food")]


@pytest.mark.parametrize("text", ["\0", "x" * 501, "\ud800"], ids=["control", "long", "surrogate"])
def test_nothing_is_offered_for_what_can_be_no_description(ledger: Ledger, text: str) -> None:
    assert offered(ledger, text) == []


def test_nothing_is_offered_where_the_ledger_is_down() -> None:
    assert EntryForm(down, lambda: "USD").complete("Lunch")["items"] == []


def test_conversation_through_a_handler_is_the_same(tmp_path: Path) -> None:
    with handler(tmp_path / "expenses.db") as url:
        form = Talk(lambda: open_ledger(url), lambda: "USD")
        assert form.sends(a_message())["kind"] == "added"
        assert form.complete("lun")["items"] == [{"text": "Lunch", "category": "Food"}]
        again = a_message()
        assert names(form.sends(again)) == ["another", "same"]
        assert decides(form, again, "another")["text"].endswith("number 2 of its kind that day.")
        assert names(click(form, "undo")) == ["restore"]
        assert list(form.sends(a_message(amount="0.001"))["errors"]) == ["amount"]
        assert open_ledger(url).search().count == 1
    assert form.sends(a_message())["kind"] == "unreached"
