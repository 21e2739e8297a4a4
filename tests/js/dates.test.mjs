import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { dayAfter, dayOfKey, dayOfWord, daysAgo } from "../../expense_lib/app/widgets/form/dates.js";
import { Clock } from "./clock.mjs";

process.env.TZ = "Europe/Berlin"; // where the day is another than in Greenwich for an hour or two

let clock;

afterEach(() => clock?.stop());

function onDay(year, month, day, hour = 12) {
  clock = new Clock(new Date(year, month - 1, day, hour));
}

for (const [text, step, expected] of [
  ["2026-11-22", 1, "2026-11-23"],
  ["2026-11-22", -1, "2026-11-21"],
  ["2026-12-31", 1, "2027-01-01"],
  ["2027-01-01", -1, "2026-12-31"],
  ["2024-02-28", 1, "2024-02-29"],
  ["2024-03-01", -1, "2024-02-29"],
  ["2026-02-28", 1, "2026-03-01"],
  ["2000-02-28", 1, "2000-02-29"],
  ["1900-02-28", 1, "1900-03-01"],
  ["0099-12-31", 1, "0100-01-01"],
  ["0001-01-02", -1, "0001-01-01"],
  ["0050-06-15", 1, "0050-06-16"],
  ["2026-03-29", 1, "2026-03-30"], // a day of 23 hours there
  [" 2026-11-22 ", 1, "2026-11-23"],
]) {
  test(`the day ${step} after ${text} is ${expected}`, () => assert.equal(dayAfter(text, step), expected));
}

for (const [text, step] of [
  ["0001-01-01", -1],
  ["9999-12-31", 1],
]) {
  test(`the calendar ends at ${text}`, () => assert.equal(dayAfter(text, step), null));
}

for (const text of ["", "2026", "22.11.2026", "2026-1-2", "12026-01-01", "tomorrow"]) {
  test(`no day is after "${text}"`, () => assert.equal(dayAfter(text, 1), null));
}

test("an arrow down is the day before, an arrow up the day after", () => {
  assert.equal(dayOfKey("2026-01-01", "ArrowDown"), "2025-12-31");
  assert.equal(dayOfKey("2025-12-31", "ArrowUp"), "2026-01-01");
});

test("another key leads to no day", () => {
  for (const key of ["ArrowLeft", "Enter", "1", "constructor"])
    assert.equal(dayOfKey("2026-01-01", key), null);
});

test("days ago are counted on the calendar", () => {
  onDay(2024, 3, 1);
  assert.deepEqual([0, 1, 61].map(daysAgo), ["2024-03-01", "2024-02-29", "2023-12-31"]);
});

for (const hour of [0, 23]) {
  test(`today is the day on the calendar at ${hour} o'clock, not in Greenwich`, () => {
    onDay(2026, 11, 22, hour);
    assert.equal(daysAgo(0), "2026-11-22");
  });
}

test("today and yesterday are words for a day, whatever their case", () => {
  onDay(2026, 1, 1);
  assert.equal(dayOfWord(" Today "), "2026-01-01");
  assert.equal(dayOfWord("YESTERDAY"), "2025-12-31");
});

test("another word is no day", () => {
  for (const word of ["", "tod", "tomorrow", "2026-01-01", "constructor"])
    assert.equal(dayOfWord(word), null);
});
