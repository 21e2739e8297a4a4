import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { make } from "../../expense_lib/app/widgets/elements.js";
import { Combobox, nextActive } from "../../expense_lib/app/widgets/form/combobox.js";
import { openTab } from "./dom.mjs";

const FOOD = [{ text: "Fish" }, { text: "Fruit", category: "Food" }, { text: "Flour" }];

let input;
let list;
let combobox;
let picked;

beforeEach(() => {
  openTab();
  input = make("input", { type: "text" });
  list = make("ul", { id: "offered" });
  picked = [];
  combobox = new Combobox(input, list, (item) => picked.push(item.text));
});

// Presses keys, and returns of each whether the browser goes on with it.
function press(...keys) {
  return keys.map((key) => input.dispatch("keydown", { key }));
}

function active() {
  const selected = list.children.filter((option) => option.getAttribute("aria-selected") === "true");
  assert.deepEqual(
    selected.map((option) => option.id),
    [input.getAttribute("aria-activedescendant")].filter(Boolean),
  );
  return selected[0]?.textContent ?? null;
}

for (const [at, step, count, expected] of [
  [-1, 1, 3, 0],
  [-1, -1, 3, 2],
  [0, 1, 3, 1],
  [2, 1, 3, 0],
  [0, -1, 3, 2],
  [0, 1, 1, 0],
  [-1, -1, 1, 0],
]) {
  test(`a step of ${step} from ${at} of ${count} leads to ${expected}`, () => {
    assert.equal(nextActive(at, step, count), expected);
  });
}

test("what is offered is listed, with its category", () => {
  combobox.show(FOOD);
  assert.deepEqual(
    list.children.map((option) => option.textContent),
    ["Fish", "FruitFood", "Flour"],
  );
  assert.deepEqual([list.hidden, input.getAttribute("aria-expanded"), active()], [false, "true", null]);
});

test("no more than eight are listed", () => {
  combobox.show(Array.from({ length: 12 }, (_, at) => ({ text: String(at) })));
  assert.equal(list.children.length, 8);
  press("ArrowUp");
  assert.equal(active(), "7");
});

test("arrows go round, from the input on", () => {
  combobox.show(FOOD);
  const seen = ["ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp"].map((key) => {
    assert.deepEqual(press(key), [false]);
    return active();
  });
  assert.deepEqual(seen, ["Fish", "FruitFood", "Flour", "Fish", "Flour"]);
});

test("Enter chooses the active one and does not send the form", () => {
  combobox.show(FOOD);
  assert.deepEqual(press("ArrowDown", "Enter"), [false, false]);
  assert.deepEqual([picked, list.hidden], [["Fish"], true]);
});

test("Tab chooses the active one and goes on to the next field", () => {
  combobox.show(FOOD);
  assert.deepEqual(press("ArrowUp", "Tab"), [false, true]);
  assert.deepEqual(picked, ["Flour"]);
});

test("Enter and Tab choose nothing where none is active", () => {
  combobox.show(FOOD);
  assert.deepEqual(press("Enter", "Tab"), [true, true]);
  assert.deepEqual(picked, []);
});

test("Escape closes the list and not the dialog around it", () => {
  let heard = 0;
  const dialog = make("dialog", {}, input);
  dialog.addEventListener("keydown", () => {
    heard += 1;
  });
  combobox.show(FOOD);
  assert.deepEqual(press("ArrowDown", "Escape"), [false, false]);
  assert.deepEqual([list.hidden, heard], [true, 1]); // the arrow
  assert.deepEqual(press("Escape"), [true]); // with nothing to close it is the dialog's
  assert.equal(heard, 2);
});

test("keys are the field's own where nothing is offered", () => {
  assert.deepEqual(press("ArrowDown", "Enter", "Escape"), [true, true, true]);
});

test("keys that compose a character choose nothing", () => {
  combobox.show(FOOD);
  press("ArrowDown");
  assert.equal(input.dispatch("keydown", { key: "Enter", isComposing: true }), true);
  assert.deepEqual(picked, []);
});

test("a click chooses, and takes the focus from the input nowhere", () => {
  combobox.show(FOOD);
  const [, fruit] = list.children;
  assert.equal(fruit.dispatch("mousedown"), false);
  fruit.dispatch("click");
  assert.deepEqual([picked, list.hidden], [["Fruit"], true]);
});

test("new offers make none active", () => {
  combobox.show(FOOD);
  press("ArrowDown");
  combobox.show(FOOD.slice(1));
  assert.equal(active(), null);
  press("Enter");
  assert.deepEqual(picked, []);
});

test("an input that is left offers nothing", () => {
  combobox.show(FOOD);
  input.dispatch("blur");
  assert.deepEqual([list.hidden, input.getAttribute("aria-expanded")], [true, "false"]);
});
