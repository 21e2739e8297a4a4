// The form in a dialog, as Python opens and closes it.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import form from "../../expense_lib/app/widgets/form/form.js";
import { Clock } from "./clock.mjs";
import { openTab, Shown, settled } from "./dom.mjs";

const TRAITS = {
  fields: ["amount", "description", "category", "date", "refund", "account", "tags", "note"],
  label: "Edit expense",
  submit: "Save",
  dialog: true,
  acts: [
    { name: "cancel", label: "Cancel" },
    { name: "delete", label: "Delete" },
  ],
  more: [],
  categories: ["Food"],
  accounts: [],
};
const NONE = { account: "", note: "", tags: "" };
const LUNCH = { amount: "12.50", description: "Lunch", category: "Food", date: "2026-11-22", refund: false };

let kept;
let clock;
let shown;

beforeEach(() => {
  clock = new Clock();
  kept = openTab();
  shown = new Shown(form, { ...TRAITS });
});

afterEach(() => clock.stop());

function asks(values, changes = {}) {
  const fields = Object.keys(values);
  const ask = {
    title: "Edit expense",
    submit: "Save",
    values,
    fields,
    lines: [],
    acts: ["cancel"],
    ...changes,
  };
  shown.hears({ ask });
}

function dialog() {
  return shown.el.querySelector("dialog");
}

function sent() {
  return shown.sentTo("send");
}

test("it is on the page while it is open only", () => {
  assert.equal(dialog(), null);
  asks(LUNCH);
  assert.equal(dialog().open, true);
  shown.hears({ close: true });
  assert.equal(dialog(), null);
});

test("it opens with what it is asked for", () => {
  asks(LUNCH, { lines: ["Added at noon."], acts: ["cancel", "delete"] });
  assert.equal(shown.field("description").value, "Lunch");
  assert.equal(shown.button("Delete").hidden, false);
  asks({ category: "" }, { title: "Move 2 expenses to a category", submit: "Move" });
  assert.equal(dialog().getAttribute("aria-label"), "Move 2 expenses to a category");
  assert.equal(shown.button("Delete").hidden, true);
  assert.equal(shown.field("amount").closest(".field").hidden, true);
  assert.equal(shown.field("amount").value, "");
  assert.equal(shown.el.activeElement, shown.field("category"));
  assert.ok(!dialog().textContent.includes("Added at noon."));
});

test("account, note and tags stand open in it", () => {
  const known = { ...LUNCH, account: "Giro", note: "With Kim", tags: "trip" };
  asks(known);
  assert.equal(shown.field("account").closest(".more"), null);
  assert.equal(shown.el.querySelector("button[aria-controls]").hidden, true);
  shown.types({ note: "" });
  shown.presses("Enter");
  assert.deepEqual(sent()[0].values, { ...known, note: "" });
});

test("Enter saves, a double click once", () => {
  asks(LUNCH);
  shown.types({ amount: "13" });
  shown.presses("Enter");
  shown.clicks("Save", 2);
  assert.deepEqual(
    sent().map((message) => message.values),
    [{ ...LUNCH, ...NONE, amount: "13" }],
  );
});

test("a refusal is said at its field", () => {
  asks(LUNCH);
  shown.presses("Enter");
  const errors = { amount: "Amount must be a plain decimal." };
  shown.hears({ outcome: { id: sent()[0].id, kind: "danger", text: "Not saved.", errors } });
  assert.equal(shown.field("wrong-amount").textContent, errors.amount);
  assert.ok(dialog().textContent.includes("Not saved."));
  asks(LUNCH);
  assert.equal(shown.field("wrong-amount").hidden, true);
  assert.ok(!dialog().textContent.includes("Not saved."));
});

test("a refusal is said also if something was typed meanwhile, which stays", () => {
  asks(LUNCH);
  shown.presses("Enter");
  shown.types({ amount: "14" });
  const errors = { date: "Date must be a day that exists in the calendar." };
  shown.hears({ outcome: { id: sent()[0].id, kind: "danger", text: "Not saved.", errors } });
  assert.ok(dialog().textContent.includes("Not saved."));
  assert.equal(shown.field("wrong-date").textContent, errors.date);
  assert.equal(shown.field("amount").value, "14");
});

function writes(at) {
  shown.hears({ close: true, id: sent()[at].id });
}

test("it closes when what is in it is written", () => {
  asks(LUNCH);
  shown.types({ amount: "13" });
  shown.presses("Enter");
  writes(0);
  assert.equal(dialog(), null);
});

test("saved and saved again before the first answer, it closes with the second", () => {
  asks(LUNCH);
  shown.types({ amount: "13" });
  shown.presses("Enter");
  shown.types({ amount: "14" });
  shown.presses("Enter");
  assert.equal(sent().length, 1);
  writes(0);
  assert.equal(dialog().open, true);
  assert.deepEqual(
    sent().map((message) => message.values.amount),
    ["13", "14"],
  );
  writes(0); // the first answer once more
  assert.equal(dialog().open, true);
  writes(1);
  assert.equal(dialog(), null);
});

test("what is changed after a save stays, and is said not to be saved", () => {
  asks(LUNCH);
  shown.presses("Enter");
  shown.types({ amount: "14" });
  writes(0);
  assert.ok(dialog().textContent.includes("Saved. What you changed since then is not saved yet."));
  assert.equal(shown.field("amount").value, "14");
  shown.presses("Enter");
  writes(1);
  assert.equal(dialog(), null);
});

test("the second save is refused after the first was written, and says so", () => {
  asks(LUNCH);
  shown.types({ amount: "13" });
  shown.presses("Enter");
  shown.types({ amount: "1,4" });
  shown.presses("Enter");
  writes(0);
  const errors = { amount: "Amount must be a plain decimal." };
  shown.hears({ outcome: { id: sent()[1].id, kind: "danger", text: "Not saved.", errors } });
  assert.equal(shown.field("wrong-amount").textContent, errors.amount);
  assert.equal(shown.field("amount").value, "1,4");
});

test("a late answer to an earlier dialog leaves the next one open", () => {
  asks(LUNCH);
  shown.presses("Enter");
  shown.clicks("Cancel");
  asks({ ...LUNCH, amount: "2" });
  writes(0);
  assert.equal(dialog().open, true);
  shown.hears({ close: true, id: null }); // it was deleted
  assert.equal(dialog(), null);
});

test("one that is closed sends nothing again, and the next may send the same", () => {
  asks(LUNCH);
  shown.presses("Enter");
  shown.clicks("Cancel");
  clock.tick(60_000);
  assert.equal(sent().length, 1);
  asks(LUNCH);
  shown.presses("Enter");
  assert.equal(sent().length, 2);
  assert.notEqual(sent()[0].id, sent()[1].id);
});

test("Delete is sent once for a double click, and says so if it does not get away", async () => {
  asks(LUNCH, { acts: ["cancel", "delete"] });
  shown.clicks("Delete", 1);
  shown.clicks("Delete", 2);
  assert.deepEqual(shown.sent, [{ do: "delete" }]);
  shown.isAway = true;
  shown.clicks("Delete");
  await settled();
  assert.ok(dialog().textContent.includes("Not sent: the app can't be reached."));
});

test("a description that is corrected brings no category", () => {
  asks(LUNCH);
  shown.types({ description: "Cinema" });
  shown.hears({ offer: { text: "Cinema", items: [{ text: "Cinema", category: "Fun" }] } });
  assert.equal(shown.field("category").value, "Food");
});

test("nothing of it is kept over a reload", () => {
  asks(LUNCH);
  shown.types({ amount: "13" });
  shown.presses("Enter");
  assert.equal(kept.size, 0);
});
