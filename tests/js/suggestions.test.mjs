import assert from "node:assert/strict";
import { test } from "node:test";

import { known, matching } from "../../expense_lib/app/widgets/form/suggestions.js";

const CATEGORIES = ["Clothes", "Food", "Fun", "Snacks", "Transport"];

test("categories that begin with what is typed come before those that contain it", () => {
  assert.deepEqual(matching(CATEGORIES, "n"), ["Fun", "Snacks", "Transport"]);
  assert.deepEqual(matching(CATEGORIES, " S"), ["Snacks", "Clothes", "Transport"]);
});

test("nothing is suggested for nothing", () => {
  for (const text of ["", " ", "x"]) assert.deepEqual(matching(CATEGORIES, text), []);
});

test("a category that is typed to its end is not suggested, and in another case it is", () => {
  assert.deepEqual(matching(CATEGORIES, "Food"), []);
  assert.deepEqual(matching(CATEGORIES, "food"), ["Food"]);
  assert.deepEqual(matching(["Food", "Food for the cat"], "Food"), ["Food", "Food for the cat"]);
});

test("the categories are not reordered by suggesting", () => {
  const categories = ["Transport", "Snacks"];
  matching(categories, "s");
  assert.deepEqual(categories, ["Transport", "Snacks"]);
});

test("a description is known by its whole text, whatever its case", () => {
  const items = [{ text: "Teapot" }, { text: "Tea" }];
  assert.equal(known(items, "tea"), items[1]);
  assert.equal(known(items, "te"), undefined);
});
