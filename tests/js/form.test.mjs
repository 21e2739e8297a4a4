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
};
const LUNCH = { amount: "12.50", description: "Lunch", category: "Food", date: "2026-11-22" };
const BUS = { amount: "2.40", description: "Bus", category: "Transport", date: "2026-11-23" };
const BOOK = { amount: "22", description: "Book", category: "Fun", date: "2026-11-24" };
const NONE = { account: "", note: "", tags: "" };
const BLANK = { amount: "", description: "" };

let clock;
let kept;
let shown;

beforeEach(() => {
  clock = new Clock(new Date(2026, 10, 30, 12));
  kept = openTab();
  opens();
});

afterEach(() => clock.stop());

function opens() {
  shown = new Shown(form, { ...TRAITS });
}

function reloads() {
  shown.leaves();
  opens();
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

function refuses(errors = { amount: "Amount must be a plain decimal." }) {
  answers({ kind: "danger", text: "Not added yet: see above.", errors });
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

test("after an expense was added the next one begins, with category and date of the last", () => {
  adds(LUNCH);
  shown.field("refund").checked = true;
  answers({ kind: "added", text: "Added: lunch." });
  seesIn({ ...LUNCH, ...BLANK });
  assert.equal(shown.field("refund").checked, false);
  assert.ok(seesAnywhere("Added: lunch."));
  assert.equal(shown.el.activeElement, shown.field("amount"));
});

test("what is typed while an answer is outstanding stays", () => {
  adds(LUNCH);
  shown.types({ amount: "3", category: "Gifts" });
  answers({ kind: "added" });
  seesIn({ amount: "3", description: "", category: "Gifts" });
});

test("the same text typed anew while an answer is outstanding stays", () => {
  adds(LUNCH);
  shown.types({ amount: LUNCH.amount });
  answers({ kind: "added" });
  seesIn({ amount: LUNCH.amount, description: "" });
});

test("what is submitted while an answer is outstanding is sent after it", () => {
  adds(LUNCH);
  adds(BUS);
  assert.equal(sent().length, 1);
  answers({ kind: "added" });
  seesIn(BUS); // it is not answered yet
  assert.deepEqual(
    sent().map((message) => message.values.amount),
    ["12.50", "2.40"],
  );
  answers({ kind: "added" });
  seesIn(BLANK);
});

test("what is wrong is said at its field, which has the focus then, and the form stays", () => {
  adds(LUNCH);
  refuses({ category: "Category must not be empty." });
  seesIn(LUNCH);
  assert.equal(shown.field("wrong-category").textContent, "Category must not be empty.");
  assert.equal(shown.field("category").getAttribute("aria-invalid"), "true");
  assert.equal(shown.field("wrong-amount").hidden, true);
  assert.equal(shown.el.activeElement, shown.field("category"));
  adds({ category: "Food" });
  answers({ kind: "added" });
  assert.equal(shown.field("wrong-category").hidden, true);
});

test("one that is not answered is said to be sent again, and then that a reload helps", () => {
  adds(LUNCH);
  clock.tick(10_000);
  assert.ok(seesAnywhere("No answer yet."));
  assert.equal(shown.button("Reload"), undefined);
  clock.tick(30_000);
  shown.clicks("Reload");
  assert.equal(location.reloads, 1);
  assert.equal(new Set(sent().map((message) => message.id)).size, 1);
});

test("an answer to what another page sent changes nothing", () => {
  adds(LUNCH);
  answers({ kind: "added", id: "another" });
  seesIn(LUNCH);
  answers({ kind: "added" });
  shown.types(BUS);
  answers({ kind: "added" }); // the same answer once more
  seesIn(BUS);
});

// Missed

function missesLunch() {
  adds(LUNCH);
  adds(BUS);
  refuses();
}

test("a refusal while the next is typed is missed and can be put back", () => {
  missesLunch();
  answers({ kind: "added" });
  assert.ok(seesAnywhere("12.50, Lunch: Amount must be a plain decimal."));
  shown.clicks("Put it back");
  seesIn(LUNCH);
  assert.ok(!seesAnywhere("Put it back"));
  adds({ amount: "12.55" });
  assert.deepEqual(sent().at(-1).values, { ...LUNCH, ...NONE, amount: "12.55", refund: false });
});

test("what was put back stays when the answer to another comes", () => {
  missesLunch();
  shown.clicks("Put it back");
  answers({ kind: "added" });
  seesIn(LUNCH);
});

test("what was missed can be forgotten, and a double click forgets one", () => {
  missesLunch();
  adds(BOOK);
  refuses();
  shown.clicks("Forget it", 1);
  shown.clicks("Forget it", 2); // the second click is on the next one
  assert.ok(!seesAnywhere("12.50, Lunch"));
  assert.ok(seesAnywhere("2.40, Bus"));
});

// Reload

test("a reload keeps what is typed", () => {
  shown.types(LUNCH);
  reloads();
  seesIn(LUNCH);
  assert.equal(sent().length, 0);
});

test("a reload keeps what is outstanding and missed, in order, and sends it under the same ids", () => {
  missesLunch();
  adds(BOOK);
  shown.types({ amount: "33", description: "Half-typed" });
  const [id] = sent()
    .slice(-1)
    .map((message) => message.id);
  reloads();
  assert.ok(seesAnywhere("12.50, Lunch"));
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
  assert.ok(seesAnywhere("12.50, Lunch"));
});

test("what was added after a reload is gone from the form", () => {
  adds(LUNCH);
  reloads();
  seesIn(LUNCH);
  answers({ kind: "added" });
  seesIn(BLANK);
});

test("what was added does not come again after a reload", () => {
  adds(LUNCH);
  answers({ kind: "added" });
  reloads();
  seesIn(BLANK);
  assert.equal(sent().length, 0);
});

test("what was put back or forgotten does not come again after a reload", () => {
  missesLunch();
  shown.clicks("Put it back");
  reloads();
  seesIn(LUNCH);
  assert.ok(!seesAnywhere("Put it back"));
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

test("buttons of an outcome are off once the next is sent", () => {
  adds(LUNCH);
  answers({ kind: "added", acts: [{ name: "undo", label: "Undo" }] });
  adds(BUS);
  shown.clicks("Undo");
  assert.deepEqual(shown.sentTo("act"), []);
});

test("Try again sends the form as it is by then", () => {
  adds(LUNCH);
  answers({ kind: "danger", acts: [{ name: "send", label: "Try again" }] });
  shown.types({ amount: "13" });
  shown.clicks("Try again");
  assert.equal(sent().at(-1).values.amount, "13");
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

test("the button and the keys set the date, and a reload keeps it", () => {
  shown.clicks("Yesterday");
  seesIn({ date: "2026-11-29" });
  shown.field("date").focus();
  assert.equal(shown.field("date").dispatch("keydown", { key: "ArrowDown" }), false); // the caret stays
  seesIn({ date: "2026-11-28" });
  reloads();
  seesIn({ date: "2026-11-28" });
});

test("a word for a day is read when the field is left, and when the form is sent", () => {
  shown.types({ date: "yesterday" });
  shown.field("amount").focus();
  seesIn({ date: "2026-11-29" });
  adds({ ...LUNCH, amount: "1", date: "today" });
  assert.equal(sent()[0].values.date, "2026-11-30");
});

test("a date that was chosen stays for the next one", () => {
  adds(LUNCH);
  answers({ kind: "added" });
  seesIn({ date: LUNCH.date });
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

test("a known description brings its category, and nothing is left to offer", () => {
  types("cinema");
  offers("cinema", CINEMA);
  seesIn({ category: "Fun" });
  seesOffered();
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

test("the category of the last expense gives way to the one of a known description", () => {
  adds(LUNCH);
  answers({ kind: "added" });
  types("Cinema");
  offers("Cinema", CINEMA);
  seesIn({ category: "Fun" });
});

test("a category that was typed meanwhile is not given away", () => {
  adds(LUNCH);
  shown.types({ category: "Clothes" });
  answers({ kind: "added" });
  types("Cinema");
  offers("Cinema", CINEMA);
  seesIn({ category: "Clothes" });
});

test("a category that is brought where one is about to be typed is replaced by typing", () => {
  types("Cinema");
  shown.field("category").focus();
  shown.field("category").isSelected = false;
  offers("Cinema", CINEMA, { text: "Cinema at night", category: "Fun" });
  seesIn({ category: "Fun" });
  assert.equal(shown.field("category").isSelected, true);
  seesOffered(); // the description has no focus any more
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

test("what is hidden is said by the button, since it is sent as well", () => {
  opensMore();
  shown.types(KNOWN);
  seesMore("More", true);
  opensMore();
  seesMore("More: Giro, #trip, work, With Kim", false);
  adds(LUNCH);
  answers({ kind: "added" });
  seesMore("More: Giro", false);
});

test("a note typed while an answer is outstanding stays", () => {
  adds({ ...LUNCH, ...KNOWN });
  shown.types({ note: "For the next" });
  answers({ kind: "added" });
  seesIn({ account: "Giro", note: "For the next", tags: "" });
});

test("a hidden field that is wrong is shown, and has the focus", () => {
  adds({ ...LUNCH, tags: "a#b" });
  refuses({ tags: "Tags must be tags of 1 to 50 characters without spaces, commas or #." });
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
  seesMore("More: Giro, #trip, work, With Kim", false);
});

test("a reload keeps account, note and tags of what is outstanding and of what was missed", () => {
  adds({ ...LUNCH, ...KNOWN });
  adds({ ...BUS, ...KNOWN, note: "Late" });
  refuses();
  adds({ ...BOOK, ...NONE });
  reloads();
  assert.deepEqual(sent()[0].values, { ...BUS, ...KNOWN, note: "Late", refund: false });
  shown.clicks("Put it back");
  seesIn({ ...LUNCH, ...KNOWN });
  seesMore("More: Giro, #trip, work, With Kim", false);
});

test("what was kept before there were such fields is taken up as it was", () => {
  adds(LUNCH);
  const name = [...kept.keys()][0];
  const strip = ({ account, note, tags, ...others }) => others;
  const draft = JSON.parse(kept.get(name));
  draft.values = strip(draft.values);
  draft.outstanding = draft.outstanding.map((entry) => ({ ...entry, values: strip(entry.values) }));
  delete draft.isMoreOpen;
  kept.set(name, JSON.stringify(draft));
  shown.leaves();
  kept.set(name, JSON.stringify(draft));
  opens();
  seesIn({ ...LUNCH, ...NONE });
  assert.deepEqual(sent()[0].values, { ...LUNCH, refund: false });
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
  seesIn({ category: "Fun" }); // which an account that was picked does not stand in the way of
});

test("what was taken back fills account, note and tags, and the button says so", () => {
  answersTheClick({ id: null, kind: "warn", text: "Taken back.", fill: { ...LUNCH, ...KNOWN } });
  seesIn({ ...LUNCH, ...KNOWN });
  seesMore("More: Giro, #trip, work, With Kim", false);
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
