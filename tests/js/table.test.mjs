// The table, the notice and the sections, as a person uses them.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import notice from "../../expense_lib/app/widgets/notice.js";
import sections from "../../expense_lib/app/widgets/sections.js";
import table from "../../expense_lib/app/widgets/table.js";
import { openTab, Shown, settled } from "./dom.mjs";

const PAGE = {
  columns: [
    { name: "date", label: "Date", kind: "date", sorts: ["date_desc", "date_asc"] },
    { name: "amount", label: "Amount", kind: "amount", sorts: ["amount_desc", "amount_asc"] },
    { name: "description", label: "Description" },
  ],
  rows: [1, 2, 3].map((id) => ({
    id,
    named: `Nr ${id}`,
    date: "2026-11-22",
    amount: `${id}.00`,
    description: "Lunch",
  })),
  sort: "date_desc",
  newer: false,
  older: true,
  caption: "Expenses",
  picks: true,
  act: "Edit",
};

let shown;

beforeEach(() => {
  openTab();
  shown = new Shown(table, { page: PAGE });
});

function shows(changes) {
  shown.changes("page", { ...PAGE, ...changes });
}

function box(name) {
  return shown.el.querySelectorAll("input").find((each) => each.getAttribute("aria-label") === name);
}

function picks(name, isPicked = true) {
  box(name).checked = isPicked;
  box(name).dispatch("change");
}

function picked() {
  return shown.sentTo("pick").map((message) => message.ids);
}

test("a choice is sent with its row, and a text is none", () => {
  const what = {
    named: "What becomes of line 2",
    value: "later",
    choices: [
      ["later", "decide later"],
      ["12", "the same as #12"],
    ],
  };
  const columns = [{ name: "what", label: "What", kind: "choice" }];
  shows({
    columns,
    rows: [
      { id: 7, what },
      { id: 8, what: "left out" },
    ],
  });
  const [select, ...others] = shown.el.querySelectorAll("select");
  assert.equal(others.length, 0);
  assert.equal(select.getAttribute("aria-label"), "What becomes of line 2");
  assert.deepEqual(
    select
      .querySelectorAll("option")
      .map((each) => [each.textContent, each.getAttribute("selected") !== null]),
    [
      ["decide later", true],
      ["the same as #12", false],
    ],
  );
  select.value = "12";
  select.dispatch("change");
  assert.deepEqual(shown.sentTo("choose"), [{ do: "choose", id: 7, to: "12" }]);
  assert.equal(shown.el.querySelectorAll("td.what")[1].textContent, "left out");
});

test("from where a category is stands small below it", () => {
  shows({
    picks: false,
    act: null,
    columns: [{ name: "category", label: "Category", kind: "sourced" }],
    rows: [
      { id: 1, category: "Food", source: { kind: "alike", text: "guessed" } },
      { id: 2, category: "Fun" },
    ],
  });
  const [guessed, said] = shown.el.querySelectorAll("td");
  assert.deepEqual([guessed.textContent, said.textContent], ["Foodguessed", "Fun"]);
  assert.equal(guessed.querySelector(".alike").textContent, "guessed");
});

test("details stand small below a detailed text", () => {
  const details = [
    { kind: "account", text: "Giro" },
    { kind: "tag", text: "#trip" },
    { kind: "note", text: "<b>With Kim</b>" },
  ];
  shows({
    columns: [{ name: "description", label: "Description", kind: "detailed" }],
    rows: [
      { id: 1, named: "Lunch", description: "Lunch", details },
      { id: 2, named: "Bus", description: "Bus", details: [] },
      { id: 3, named: "Tram", description: "Tram" },
    ],
  });
  const [first, ...others] = shown.el.querySelectorAll("td.description");
  assert.equal(first.textContent, "LunchGiro#trip<b>With Kim</b>");
  assert.equal(first.querySelector(".note").textContent, "<b>With Kim</b>");
  for (const each of others) assert.equal(each.querySelector(".details"), null);
});

test("rows are shown as the page has them", () => {
  const rows = shown.el
    .querySelector("tbody")
    .children.map((row) => row.children.map((cell) => cell.textContent));
  assert.deepEqual(rows[0], ["", "2026-11-22", "1.00", "Lunch", "Edit"]);
  assert.equal(rows.length, 3);
});

test("a click on a head sorts by it, descending first, then ascending", () => {
  const header = () => shown.el.querySelector("th.amount").getAttribute("aria-sort");
  shown.clicks("Amount");
  shows({ sort: "amount_desc" });
  assert.equal(header(), "descending");
  shown.clicks("Amount\u2193");
  shows({ sort: "amount_asc" });
  assert.deepEqual(shown.sentTo("sort"), [
    { do: "sort", by: "amount_desc" },
    { do: "sort", by: "amount_asc" },
  ]);
});

test("a column without an order is no button", () => {
  assert.equal(shown.button("Description"), undefined);
});

test("pages are turned as fast as one clicks, where there are more", () => {
  shown.clicks("Older", 1);
  shown.clicks("Older", 2);
  shown.clicks("Newer");
  assert.deepEqual(shown.sentTo("turn"), [
    { do: "turn", to: "older" },
    { do: "turn", to: "older" },
  ]);
  shows({ older: false });
  assert.equal(shown.el.querySelector("nav").hidden, true);
});

test("what is picked is told once, in the order of the rows", () => {
  picks("Select Nr 3");
  picks("Select Nr 1");
  shows({});
  assert.deepEqual(picked(), [[3], [1, 3]]);
  assert.equal(box("Select all on this page").indeterminate, true);
  assert.equal(box("Select Nr 1").closest("tr").className, "picked");
});

test("all are picked and none by one box", () => {
  picks("Select all on this page");
  picks("Select Nr 2", false);
  picks("Select all on this page");
  picks("Select all on this page", false);
  assert.deepEqual(picked(), [[1, 2, 3], [1, 3], [1, 2, 3], []]);
});

test("what is not on the page is picked no more, also when it comes back", () => {
  picks("Select Nr 1");
  shows({ rows: PAGE.rows.slice(1) });
  shows({});
  assert.deepEqual(picked(), [[1], []]);
  picks("Select Nr 2");
  shows({ rows: [], picks: false });
  shows({});
  assert.deepEqual(picked(), [[1], [], [2], []]);
});

test("a row is acted on once by a double click, and not if it is fixed", () => {
  shown.clicks("Edit Nr 2", 1);
  shown.clicks("Edit Nr 2", 2);
  shows({ rows: PAGE.rows.map((row) => ({ ...row, fixed: true })) });
  shown.clicks("Edit Nr 2");
  assert.deepEqual(shown.sentTo("act"), [{ do: "act", id: 2 }]);
});

test("what has the focus keeps it, and if it is gone the next row's button has it", () => {
  shown.button("Edit Nr 1").focus();
  shows({});
  assert.equal(shown.el.activeElement, shown.button("Edit Nr 1"));
  shows({ rows: PAGE.rows.slice(1) });
  assert.equal(shown.el.activeElement, shown.button("Edit Nr 2"));
});

test("where there are no rows it says why", () => {
  shows({ rows: [], none: "Nothing yet." });
  assert.equal(shown.el.querySelector("table").hidden, true);
  assert.ok(shown.el.textContent.includes("Nothing yet."));
  shows({ none: "Nothing yet." });
  assert.ok(!shown.el.textContent.includes("Nothing yet."));
});

test("a click that does not get away is told", async () => {
  shown.isAway = true;
  shown.clicks("Older");
  await settled();
  assert.ok(shown.el.textContent.includes("Not sent: the app can't be reached."));
});

test("a notice is shown anew with its buttons", () => {
  const told = (text, of) => ({ text, kind: "added", acts: [{ name: "undo", label: "Undo" }], of });
  shown = new Shown(notice, { told: told("Saved.", 1) });
  shown.changes("told", told("Deleted.", 2));
  assert.equal(shown.el.textContent, "Deleted.Undo");
  shown.clicks("Undo");
  assert.deepEqual(shown.sent, [{ do: "act", name: "undo", of: 2 }]);
  shown.changes("told", {});
  assert.equal(shown.el.textContent, "");
});

test("the section that was clicked is the current one, unless the click did not get away", async () => {
  shown = new Shown(sections, { names: ["List", "Charts"], chosen: "List" });
  const current = () => shown.el.querySelector("[aria-current]").textContent;
  assert.equal(current(), "List");
  shown.clicks("Charts");
  assert.equal(current(), "Charts");
  assert.deepEqual(shown.sent, [{ do: "go", to: "Charts" }]);
  shown.isAway = true;
  shown.clicks("Charts");
  await settled();
  assert.equal(current(), "List");
});
