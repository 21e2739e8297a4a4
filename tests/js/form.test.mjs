// The form on the page and in a dialog, as a person uses it.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import form from "../../expense_lib/app/widgets/form/form.js";
import { Clock } from "./clock.mjs";
import { openTab, Shown, settled } from "./dom.mjs";

const TRAITS = {
  fields: ["amount", "description", "category", "date", "refund", "account", "tags", "note"],
  label: "New expense",
  submit: "Add expense",
  dialog: false,
  acts: [],
  more: ["account", "tags", "note"],
  categories: ["Clothes", "Food", "Fun"],
  accounts: ["Cash", "Giro"],
  undecided: [],
  beyond: 0,
  ledger: "11aa",
};
const LUNCH = { amount: "12.50", description: "Lunch", category: "Food", date: "2026-11-22" };
const BUS = { amount: "2.40", description: "Bus", category: "Transport", date: "2026-11-23" };
const BOOK = { amount: "22", description: "Book", category: "Fun", date: "2026-11-24" };
const NONE = { account: "", note: "", tags: "" };
const BLANK = { amount: "", description: "" };

let clock;
let kept;
let shelved;
let shown;

beforeEach(() => {
  clock = new Clock(new Date(2026, 10, 30, 12));
  shelved = new Map();
  kept = openTab("", shelved);
  opens();
});

afterEach(() => clock.stop());

function opens(traits = {}) {
  shown = new Shown(form, { ...TRAITS, ...traits });
}

function reloads(traits) {
  shown.leaves();
  opens(traits);
}

function adds(texts) {
  shown.types(texts);
  shown.presses("Enter");
}

function sent() {
  return shown.sentTo("send");
}

// Python's answer to what was sent last.
function answers(outcome) {
  shown.hears({ outcome: { id: sent().at(-1).id, text: "Said.", errors: {}, acts: [], of: 1, ...outcome } });
}

const EDIT = { name: "edit", label: "Edit" };
const DROP = { name: "drop", label: "Throw away" };
const ANOTHER = { name: "another", label: "Another one" };
const SAME = { name: "same", label: "The same" };

function refuses(errors = { amount: "Amount must be a plain decimal." }) {
  answers({ kind: "refused", text: Object.values(errors).join(" "), errors, acts: [EDIT, DROP] });
}

function repeats() {
  answers({ kind: "repeat", text: "Already recorded at noon.", acts: [ANOTHER, SAME] });
}

// The tray's heading, and the titles in it; null where there is no tray.
function tray() {
  const region = shown.el.querySelector(".tray");
  const titles = region.querySelectorAll("strong").map((title) => title.textContent);
  return region.hidden ? null : [region.querySelector("h2").textContent, ...titles];
}

function goesTo(at) {
  shown.el.querySelectorAll("li[tabindex]")[at].focus();
}

function seesIn(texts) {
  const seen = Object.fromEntries(Object.keys(texts).map((name) => [name, shown.field(name).value]));
  assert.deepEqual(seen, texts);
}

function seesAnywhere(text) {
  return shown.el.textContent.includes(text);
}

// Sending

test("what is typed is sent, with its refund", () => {
  shown.types(LUNCH);
  shown.field("refund").checked = true;
  shown.presses("Enter");
  assert.deepEqual(
    sent().map((message) => message.values),
    [{ ...LUNCH, ...NONE, refund: true }],
  );
});

test("a double click on the button sends once", () => {
  shown.types(LUNCH);
  shown.clicks("Add expense", 1);
  shown.clicks("Add expense", 2);
  answers({ kind: "added" });
  assert.equal(sent().length, 1);
});

test("what is submitted leaves the form at once, but for date and account", () => {
  shown.types({ account: "Giro" });
  shown.field("refund").checked = true;
  adds(LUNCH);
  seesIn({ ...BLANK, category: "", date: LUNCH.date, account: "Giro" });
  assert.equal(shown.field("refund").checked, false);
  assert.equal(shown.el.activeElement, shown.field("amount"));
  answers({ kind: "added", text: "Added: lunch." });
  assert.ok(seesAnywhere("Added: lunch."));
  assert.equal(tray(), null);
});

test("an answer leaves alone what is typed by then", () => {
  adds(LUNCH);
  shown.types({ ...BUS });
  answers({ kind: "added" });
  seesIn(BUS);
  adds({});
  shown.types(BOOK);
  refuses();
  seesIn(BOOK);
});

test("what is submitted while an answer is outstanding is sent after it", () => {
  adds(LUNCH);
  adds(BUS);
  assert.equal(sent().length, 1);
  answers({ kind: "added" });
  assert.deepEqual(
    sent().map((message) => message.values.amount),
    ["12.50", "2.40"],
  );
});

test("the same typed twice is sent twice: the second is no double click", () => {
  adds(LUNCH);
  adds(LUNCH);
  answers({ kind: "added" });
  assert.equal(new Set(sent().map((message) => message.id)).size, 2);
});

test("a blank form sends nothing", () => {
  shown.types({ account: "Giro", amount: " " });
  shown.presses("Enter");
  assert.equal(sent().length, 0);
});

test("one that is not answered is said to be sent again, and then that a reload helps", () => {
  adds(LUNCH);
  clock.tick(999);
  assert.equal(tray(), null);
  clock.tick(1);
  assert.deepEqual(tray(), ["Not answered yet", "12.50, Lunch"]);
  clock.tick(9_000);
  assert.ok(seesAnywhere("No answer yet."));
  assert.equal(shown.button("Reload"), undefined);
  clock.tick(30_000);
  shown.clicks("Reload");
  assert.equal(location.reloads, 1);
  shown.clicks("Try again");
  assert.equal(new Set(sent().map((message) => message.id)).size, 1);
  answers({ kind: "added" });
  assert.equal(tray(), null);
});

test("an answer to what another page sent changes nothing", () => {
  adds(LUNCH);
  answers({ kind: "added", id: "another" });
  assert.equal(kept.size, 1);
  answers({ kind: "added" });
  shown.types(BUS);
  answers({ kind: "added" }); // the same answer once more
  seesIn(BUS);
});

// The tray

test("what is refused or repeated waits in the tray, and the next is entered meanwhile", () => {
  adds(LUNCH);
  refuses();
  adds(BUS);
  repeats();
  adds(BOOK);
  answers({ kind: "added" });
  assert.deepEqual(tray(), ["2 to decide", "12.50, Lunch", "2.40, Bus"]);
  assert.ok(seesAnywhere("Amount must be a plain decimal."));
});

test("another one is sent under the id that it had, however often", () => {
  adds(LUNCH);
  repeats();
  const button = shown.button("Another one");
  for (const detail of [1, 2]) button.dispatch("click", { detail });
  assert.equal(tray(), null);
  const [first, again] = sent();
  assert.deepEqual([sent().length, again.id, again.as, again.values], [2, first.id, "another", first.values]);
  answers({ kind: "added" });
  reloads();
  assert.deepEqual([tray(), sent().length], [null, 0]);
});

test("another one that is not answered is sent again after a reload, as another one", () => {
  adds(LUNCH);
  repeats();
  const [{ id }] = sent();
  shown.clicks("Another one");
  reloads();
  assert.deepEqual([sent()[0].id, sent()[0].as], [id, "another"]);
});

test("the same is no more, and can be had back", () => {
  adds(LUNCH);
  repeats();
  shown.clicks("The same");
  assert.equal(tray(), null);
  shown.clicks("Put it back");
  assert.deepEqual(tray(), ["1 to decide", "12.50, Lunch"]);
});

test("Enter in the blank form goes to the tray, Enter and Shift+Enter decide, one after the other", () => {
  for (const values of [LUNCH, BUS, BOOK]) {
    adds(values);
    repeats();
  }
  shown.presses("Enter");
  goesTo(0);
  shown.presses("Enter");
  answers({ kind: "added" });
  shown.el.activeElement.dispatch("keydown", { key: "Enter", shiftKey: true });
  assert.deepEqual(tray(), ["1 to decide", "22, Book"]);
  shown.el.activeElement.dispatch("keydown", { key: "Enter", repeat: true }); // the key is held down
  assert.deepEqual(tray(), ["1 to decide", "22, Book"]);
  shown.presses("Enter");
  assert.equal(tray(), null);
  assert.equal(shown.el.activeElement, shown.field("amount"));
  assert.deepEqual(
    sent().map(({ as }) => as),
    [undefined, undefined, undefined, "another", "another"],
  );
});

test("arrows lead through the tray, and typing leads back to the form", () => {
  for (const values of [LUNCH, BUS]) {
    adds(values);
    repeats();
  }
  goesTo(0);
  shown.presses("ArrowDown");
  shown.presses("ArrowRight");
  shown.presses("ArrowRight");
  assert.equal(shown.el.activeElement.textContent, "The same");
  shown.presses("ArrowUp");
  shown.presses("7");
  assert.equal(shown.el.activeElement, shown.field("amount"));
  assert.equal(sent().length, 2);
});

test("Edit takes it into the form with what is wrong, and sending it takes it out of the tray", () => {
  adds(LUNCH);
  refuses();
  shown.clicks("Edit");
  assert.equal(tray(), null);
  seesIn(LUNCH);
  assert.equal(shown.field("wrong-amount").textContent, "Amount must be a plain decimal.");
  assert.equal(shown.el.activeElement, shown.field("amount"));
  reloads();
  seesIn(LUNCH);
  assert.equal(tray(), null);
  adds({ amount: "12.55" });
  answers({ kind: "added" });
  assert.deepEqual(sent().at(-1).values, { ...LUNCH, ...NONE, amount: "12.55", refund: false });
  seesIn({ date: "2026-11-30" }); // which was its own
  assert.equal(tray(), null);
});

test("what was taken into the form and is deleted there stands in the tray again", () => {
  adds(LUNCH);
  refuses();
  shown.clicks("Edit");
  shown.types({ amount: "", description: "", category: "" });
  assert.deepEqual(tray(), ["1 to decide", "12.50, Lunch"]);
});

test("what was in the form when another is taken into it waits in the tray", () => {
  adds(LUNCH);
  refuses();
  shown.types(BUS);
  shown.clicks("Edit");
  seesIn(LUNCH);
  assert.deepEqual(tray(), ["1 to decide", "2.40, Bus"]);
  shown.types({ amount: "12.60" });
  shown.clicks("Edit");
  seesIn(BUS);
  assert.deepEqual(tray(), ["1 to decide", "12.60, Lunch"]);
});

test("a category that is asked for is answered with one click", () => {
  adds({ ...LUNCH, category: "" });
  const fun = { name: "in-Fun", label: "Fun", in: "Fun" };
  answers({ kind: "category", text: "Category is needed.", acts: [fun, EDIT, DROP] });
  shown.clicks("Fun");
  assert.equal(sent()[1].values.category, "Fun");
  assert.notEqual(sent()[1].id, sent()[0].id); // its first was refused for good
  answers({ kind: "added" });
  assert.equal(tray(), null);
});

test("one whose failure has no words can be sent again, edited or thrown away", () => {
  adds(LUNCH);
  answers({ kind: "danger", text: "Something went wrong.", acts: undefined });
  shown.clicks("Try again");
  assert.equal(sent()[1].id, sent()[0].id);
});

test("remarks are not counted, and one click corrects", () => {
  const act = { name: "amend", label: "Change it to Food", changes: { category: "Food" } };
  const remark = {
    id: "remark-1-0",
    kind: "remark",
    text: "Fodd: Food?",
    expense: 1,
    version: 1,
    acts: [act],
  };
  shown.hears({ remarks: [remark] });
  assert.equal(tray()[0], "To look at");
  reloads();
  shown.clicks("Change it to Food");
  const { id, as, expense, changes, version } = sent()[0];
  assert.deepEqual([id, as, expense, changes, version], [remark.id, "amend", 1, { category: "Food" }, 1]);
  answers({ kind: "added", text: "Changed." });
  assert.equal(tray(), null);
});

test("a correction leaves the other remarks on the same expense as good as they were", () => {
  const act = { name: "amend", label: "Food", changes: { category: "Food" } };
  const other = { name: "amend", label: "2026", changes: { date: "2026-11-24" } };
  for (const [at, each] of [act, other].entries()) {
    const remark = { id: `remark-1-${at}`, kind: "remark", text: "?", expense: 1, version: 1, acts: [each] };
    shown.hears({ remarks: [remark] });
  }
  shown.clicks("Food");
  answers({ kind: "added", text: "Changed.", expense: 1, version: 2 });
  shown.clicks("2026");
  assert.equal(sent()[1].version, 2);
});

test("a remark on what is taken back goes with it", () => {
  shown.hears({ remarks: [{ id: "remark-1-0", kind: "remark", text: "Fodd?", expense: 1, acts: [] }] });
  shown.hears({ outcome: { id: null, kind: "warn", text: "Taken back.", fill: LUNCH, expense: 1 } });
  assert.equal(tray(), null);
});

test("what the ledger asks stands in the tray too, and is answered by the ledger", () => {
  const acts = [{ name: "say-33", label: "The same as tea", says: 33 }];
  const row = { id: "row-12", row: 12, kind: "row", title: "2.00, Tea", text: "Same amount.", acts };
  shown.changes("undecided", [row]);
  assert.deepEqual(tray(), ["1 to decide", "2.00, Tea"]);
  shown.clicks("The same as tea");
  assert.deepEqual(shown.sentTo("decide"), [{ do: "decide", row: 12, says: 33 }]);
  shown.changes("undecided", []);
  assert.equal(tray(), null);
});

test("another tab shares the tray", () => {
  adds(LUNCH);
  repeats();
  const first = shown;
  opens();
  assert.deepEqual(tray(), ["1 to decide", "12.50, Lunch"]);
  shown.clicks("The same");
  const [key] = [...shelved.keys()];
  assert.equal(key, undefined);
  shown = first;
  const name = `expenses:unrecorded:11aa:${sent()[0].id}`;
  window.dispatchEvent(Object.assign(new Event("storage"), { key: name, newValue: null }));
  assert.equal(tray(), null);
});

test("what the ledger asks beyond what is shown is counted, and shown on demand", () => {
  const row = (number) => ({
    id: `row-${number}`,
    row: number,
    kind: "row",
    title: `${number}, Tea`,
    acts: [],
  });
  shown.changes("undecided", [row(1), row(2)]);
  shown.changes("beyond", 7);
  assert.equal(tray()[0], "9 to decide");
  shown.button("7 more to decide").focus();
  shown.clicks("7 more to decide");
  assert.equal(shown.sentTo("more").length, 1);
  shown.changes("undecided", [1, 2, 3].map(row));
  shown.changes("beyond", 0);
  assert.deepEqual(tray(), ["3 to decide", "1, Tea", "2, Tea", "3, Tea"]);
  assert.ok(shown.el.querySelector(".tray").querySelector("button.quiet").hidden);
  assert.equal(shown.el.activeElement.querySelector("strong").textContent, "3, Tea");
});

test("what may be the expense just added is asked before all else", () => {
  const row = { id: "row-1", row: 1, kind: "row", title: "2.00, Tea", acts: [] };
  shown.changes("undecided", [row]);
  adds(LUNCH);
  repeats();
  assert.deepEqual(tray(), ["2 to decide", "12.50, Lunch", "2.00, Tea"]);
  shown.changes("undecided", [{ ...row, id: "row-9", row: 9, title: "18.40, Bistro", isNew: true }, row]);
  assert.equal(tray()[1], "18.40, Bistro");
});

test("what was typed for one ledger is not in the tray of another at the same address", () => {
  adds(LUNCH);
  repeats();
  reloads({ ledger: "22bb" });
  assert.equal(tray(), null);
  reloads();
  assert.deepEqual(tray(), ["1 to decide", "12.50, Lunch"]);
});

test("what was typed before the ledger was reached is in its tray from then on", () => {
  adds(LUNCH);
  repeats();
  reloads({ ledger: "" });
  adds(BUS);
  answers({ kind: "unreached", text: "Not added." });
  assert.deepEqual(tray(), ["1 to decide", "2.40, Bus"]);
  shown.changes("ledger", "11aa");
  assert.deepEqual(tray(), ["2 to decide", "12.50, Lunch", "2.40, Bus"]);
  reloads();
  assert.deepEqual(tray(), ["2 to decide", "12.50, Lunch", "2.40, Bus"]);
  assert.equal(location.reloads, 0);
  shown.changes("ledger", "22bb"); // the file is another one now
  assert.equal(location.reloads, 1);
});

// Reload

test("a reload keeps what is typed", () => {
  shown.types(LUNCH);
  reloads();
  seesIn(LUNCH);
  assert.equal(sent().length, 0);
});

test("a reload keeps what is outstanding, in order, and sends it under the same ids", () => {
  adds(LUNCH);
  adds(BUS);
  adds(BOOK);
  refuses();
  shown.types({ amount: "33", description: "Half-typed" });
  const [id] = sent()
    .slice(-1)
    .map((message) => message.id);
  reloads();
  assert.deepEqual(tray(), ["1 to decide", "12.50, Lunch"]);
  assert.equal(sent()[0].id, id);
  answers({ kind: "added" });
  answers({ kind: "added" });
  seesIn({ amount: "33", description: "Half-typed" });
  assert.deepEqual(
    sent().map((message) => message.values.description),
    ["Bus", "Book"],
  );
  reloads();
  assert.equal(sent().length, 0);
  assert.deepEqual(tray(), ["1 to decide", "12.50, Lunch"]);
});

test("what was added or thrown away does not come again after a reload", () => {
  adds(LUNCH);
  answers({ kind: "added" });
  adds(BUS);
  refuses();
  shown.clicks("Throw away");
  reloads();
  seesIn(BLANK);
  assert.deepEqual([tray(), sent().length], [null, 0]);
});

test("a tab that is closed leaves the tray to the next one", () => {
  adds(LUNCH);
  refuses();
  adds(BUS);
  const [, { id }] = sent();
  shown.leaves();
  openTab("", shelved);
  opens();
  assert.deepEqual(tray(), ["1 to decide", "12.50, Lunch"]);
  assert.equal(sent()[0].id, id);
});

test("what an earlier version kept is taken up", () => {
  const [name] = [...kept.keys()];
  const values = { ...LUNCH, refund: false, account: "", tags: "", note: "" };
  const missed = [{ values: BUS, why: "Already recorded." }];
  shown.leaves();
  kept.set(name, JSON.stringify({ values, outstanding: [{ id: "old", values }], missed }));
  opens();
  assert.deepEqual([sent()[0].id, sent()[0].values], ["old", values]);
  seesIn(BLANK);
  assert.deepEqual(tray(), ["1 to decide", "2.40, Bus"]);
});

test("a page that is left sends nothing more", () => {
  adds(LUNCH);
  shown.leaves();
  clock.tick(60_000);
  assert.equal(shown.sent.length, 1);
});

// Buttons beside an outcome

test("a button beside an outcome says which outcome, and works once", () => {
  adds(LUNCH);
  answers({ kind: "added", acts: [{ name: "undo", label: "Undo" }], of: 7 });
  shown.clicks("Undo", 2); // the second half of a double click that began elsewhere
  shown.clicks("Undo");
  shown.clicks("Undo");
  assert.deepEqual(shown.sentTo("act"), [{ do: "act", name: "undo", of: 7 }]);
});

test("a button whose click did not get away says so and can be clicked again", async () => {
  adds(LUNCH);
  answers({ kind: "added", acts: [{ name: "undo", label: "Undo" }] });
  shown.isAway = true;
  shown.clicks("Undo");
  await settled();
  assert.ok(seesAnywhere("Not sent: the app can't be reached."));
  shown.isAway = false;
  shown.clicks("Undo");
  assert.equal(shown.sentTo("act").length, 1);
});

test("buttons of an outcome are gone once the next is sent", () => {
  adds(LUNCH);
  answers({ kind: "added", acts: [{ name: "undo", label: "Undo" }] });
  adds(BUS);
  assert.equal(shown.button("Undo"), undefined);
});

function answersTheClick(outcome) {
  shown.hears({ outcome });
}

test("what was taken back fills the form unless the next was begun", () => {
  const takenBack = { id: null, kind: "warn", text: "Taken back.", fill: { ...LUNCH, refund: true } };
  answersTheClick(takenBack);
  seesIn(LUNCH);
  assert.equal(shown.field("refund").checked, true);
  shown.types(BUS);
  answersTheClick(takenBack);
  seesIn(BUS);
});

// Date

test("the date is today until one is typed", () => {
  seesIn({ date: "2026-11-30" });
  clock.wakeAt(new Date(2026, 11, 1, 0, 1));
  clock.tick(5_000);
  seesIn({ date: "2026-12-01" });
  shown.types({ date: "2026-11-02" });
  clock.tick(5_000);
  seesIn({ date: "2026-11-02" });
});

test("midnight does not change the date of an entry that was begun", () => {
  shown.types({ amount: "1" });
  clock.wakeAt(new Date(2026, 11, 1, 0, 1));
  clock.tick(5_000);
  seesIn({ date: "2026-11-30" });
});

function still() {
  return shown.el.querySelector(".pills").querySelectorAll("button")[1];
}

test("the button and the keys set the date, which is said, and a page that is opened has today's", () => {
  shown.clicks("Yesterday");
  seesIn({ date: "2026-11-29" });
  shown.field("date").focus();
  assert.equal(shown.field("date").dispatch("keydown", { key: "ArrowDown" }), false); // the caret stays
  seesIn({ date: "2026-11-28" });
  assert.equal(still().textContent, "still 28 Nov \u00d7");
  reloads();
  seesIn({ date: "2026-11-30" });
  assert.equal(still().hidden, true);
  shown.clicks("Yesterday");
  shown.types({ amount: "1" });
  reloads();
  seesIn({ date: "2026-11-29" }); // of the entry that was begun
  shown.clicks("still 29 Nov: back to today");
  seesIn({ date: "2026-11-30" });
});

test("a word for a day is read when the field is left, and when the form is sent", () => {
  shown.types({ date: "yesterday" });
  shown.field("amount").focus();
  seesIn({ date: "2026-11-29" });
  adds({ ...LUNCH, amount: "1", date: "today" });
  assert.equal(sent()[0].values.date, "2026-11-30");
});

test("a date that was chosen stays for the next one, and goes after minutes without an entry", () => {
  adds({ ...LUNCH, date: "2025-11-22" });
  answers({ kind: "added" });
  clock.tick(290_000);
  seesIn({ date: "2025-11-22" });
  assert.equal(still().textContent, "still 22 Nov 2025 \u00d7");
  adds({ ...LUNCH, amount: "1", date: "2025-11-22" });
  clock.tick(290_000);
  seesIn({ date: "2025-11-22" });
  clock.tick(15_000);
  seesIn({ date: "2026-11-30" });
});

// Suggestions

const CINEMA = { text: "Cinema", category: "Fun" };

function types(text) {
  shown.types({ description: text });
}

function offers(text, ...items) {
  shown.hears({ offer: { text, items } });
}

function seesOffered(...texts) {
  const options = shown.field("offered-description").children;
  assert.deepEqual(
    options.map((option) => option.textContent),
    texts,
  );
}

test("descriptions are asked for once typing pauses", () => {
  types("C");
  clock.tick(119);
  types("Ci ");
  clock.tick(119);
  assert.deepEqual(shown.sentTo("complete"), []);
  clock.tick(1);
  assert.deepEqual(shown.sentTo("complete"), [{ do: "complete", text: "Ci" }]);
});

test("a form that was sent, or a text that was deleted, asks for none", () => {
  types("C");
  types("");
  clock.tick(1_000);
  adds(LUNCH);
  clock.tick(1_000);
  assert.deepEqual(shown.sentTo("complete"), []);
});

test("a description that is picked brings its category", () => {
  types("Ci");
  offers("Ci", CINEMA);
  seesOffered("CinemaFun");
  shown.presses("ArrowDown");
  shown.presses("Enter");
  seesIn({ description: "Cinema", category: "Fun" });
  assert.equal(sent().length, 0);
  reloads();
  seesIn({ description: "Cinema", category: "Fun" });
});

function ghost() {
  return shown.field("category").getAttribute("placeholder");
}

test("the category of a known description is shown, and not sent unless it is accepted", () => {
  types("cinema");
  offers("cinema", CINEMA);
  seesIn({ category: "" });
  assert.equal(ghost(), "Fun");
  seesOffered();
  adds({ amount: "8" });
  assert.equal(sent()[0].values.category, "");
  assert.equal(ghost(), "");
  types("cinema");
  offers("cinema", CINEMA);
  shown.field("category").focus();
  shown.presses("Tab");
  seesIn({ category: "Fun" });
  types("");
  seesIn({ category: "Fun" }); // it was accepted
});

test("a click on the chip accepts the category", () => {
  types("cinema");
  offers("cinema", CINEMA);
  shown.clicks("Fun");
  seesIn({ category: "Fun" });
});

test("the category of a description that was picked goes with it", () => {
  types("Ci");
  offers("Ci", CINEMA);
  shown.presses("ArrowDown");
  shown.presses("Enter");
  types("Circus");
  seesIn({ category: "" });
});

test("a known description brings no category where one was typed, also before a reload", () => {
  shown.types({ category: "Clothes", description: "Cinema" });
  offers("Cinema", CINEMA);
  seesIn({ category: "Clothes" });
  reloads();
  types("Cinema");
  offers("Cinema", CINEMA);
  seesIn({ category: "Clothes" });
});

test("an offer for what was typed before is not looked at", () => {
  types("Cinema at night");
  offers("Cinema", CINEMA);
  seesIn({ category: "" });
  seesOffered();
});

test("a category is suggested while it is typed, and is a person's own once it is picked", () => {
  shown.types({ category: "f" });
  shown.presses("ArrowUp");
  shown.presses("Enter");
  seesIn({ category: "Fun" });
  types("Lunch");
  offers("Lunch", { text: "Lunch", category: "Food" });
  seesIn({ category: "Fun" });
});

// More

const KNOWN = { account: "Giro", note: "With Kim", tags: "#trip, work" };

function more() {
  return shown.el.querySelector("button[aria-controls]");
}

function opensMore() {
  more().dispatch("click", { detail: 1 });
}

function seesMore(label, isOpen) {
  const region = shown.el.querySelector(".more");
  assert.deepEqual(
    [more().textContent, more().getAttribute("aria-expanded"), !region.hidden],
    [label, String(isOpen), isOpen],
  );
}

test("account, note and tags are behind a button, which goes to the first of them", () => {
  seesMore("More", false);
  opensMore();
  seesMore("More", true);
  assert.equal(shown.el.activeElement, shown.field("account"));
  opensMore();
  seesMore("More", false);
});

test("account, note and tags are sent as they were typed, and the account stays for the next one", () => {
  opensMore();
  adds({ ...LUNCH, ...KNOWN });
  assert.deepEqual(sent()[0].values, { ...LUNCH, ...KNOWN, refund: false });
  answers({ kind: "added" });
  seesIn({ ...BLANK, account: "Giro", note: "", tags: "" });
  assert.equal(shown.el.activeElement, shown.field("amount"));
});

test("what is hidden is said by the button, the account by a pill", () => {
  opensMore();
  shown.types(KNOWN);
  seesMore("More", true);
  opensMore();
  seesMore("More: #trip, work, With Kim", false);
  adds(LUNCH);
  seesMore("More", false);
  assert.equal(shown.button("Account Giro").textContent, "Giro");
});

test("the account's pill changes it with a key, clears it, and leads to its field", () => {
  shown.types({ account: "Giro" });
  shown.button("Account Giro").focus();
  shown.presses("ArrowDown");
  seesIn({ account: "Cash" });
  shown.presses("ArrowUp");
  seesIn({ account: "Giro" });
  shown.clicks("Account Giro");
  assert.equal(shown.el.activeElement, shown.field("account"));
  opensMore();
  shown.clicks("No account");
  seesIn({ account: "" });
});

test("a hidden field that is wrong is shown, and has the focus, when it is edited", () => {
  adds({ ...LUNCH, tags: "a#b" });
  refuses({ tags: "Tags must be tags of 1 to 50 characters without spaces, commas or #." });
  shown.clicks("Edit");
  seesMore("More", true);
  assert.equal(shown.el.activeElement, shown.field("tags"));
});

test("a reload keeps account, note and tags, and whether they are shown", () => {
  opensMore();
  shown.types({ ...LUNCH, ...KNOWN });
  reloads();
  seesIn({ ...LUNCH, ...KNOWN });
  seesMore("More", true);
  opensMore();
  reloads();
  seesMore("More: #trip, work, With Kim", false);
});

test("an account is suggested while it is typed", () => {
  opensMore();
  shown.types({ account: "g" });
  shown.presses("ArrowDown");
  shown.presses("Enter");
  seesIn({ account: "Giro" });
  assert.equal(sent().length, 0);
  types("Cinema");
  offers("Cinema", CINEMA);
  assert.equal(ghost(), "Fun"); // which an account that was picked does not stand in the way of
});

test("what was taken back fills account, note and tags, and the button says so", () => {
  answersTheClick({ id: null, kind: "warn", text: "Taken back.", fill: { ...LUNCH, ...KNOWN } });
  seesIn({ ...LUNCH, ...KNOWN });
  seesMore("More: #trip, work, With Kim", false);
});

// Polling

test("it is asked every five seconds whether the ledger has changed, while the page is seen", () => {
  clock.tick(10_000);
  document.visibilityState = "hidden";
  clock.tick(10_000);
  assert.equal(shown.sentTo("poll").length, 2);
  document.visibilityState = "visible";
  document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(shown.sentTo("poll").length, 3);
  shown.leaves();
  clock.tick(10_000);
  document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(shown.sentTo("poll").length, 3);
});

test("Back is a view as well", () => {
  window.dispatchEvent(new Event("popstate"));
  assert.equal(location.reloads, 1);
});
