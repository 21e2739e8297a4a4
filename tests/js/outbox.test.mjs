import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { newId, Outbox } from "../../expense_lib/app/widgets/form/outbox.js";
import { Clock } from "./clock.mjs";
import { settled } from "./dom.mjs";

const LUNCH = { amount: "12.50", description: "Lunch" };
const BUS = { amount: "2.40", description: "Bus" };
const BOOK = { amount: "22", description: "Book" };

let clock;

beforeEach(() => {
  clock = new Clock();
});

afterEach(() => clock.stop());

// An outbox with what it sent and said. What is sent gets away unless *isAway*.
function anOutbox() {
  const seen = { sent: [], tries: [], isAway: false };
  const outbox = new Outbox({
    send: async (entry) => {
      seen.sent.push(entry);
      if (seen.isAway) throw new Error("away");
    },
    unanswered: (tries) => seen.tries.push(tries),
  });
  return { outbox, seen };
}

function submits(outbox, ...all) {
  const entries = all.map((values) => ({ id: newId(), values }));
  for (const entry of entries) outbox.push(entry);
  return entries;
}

function amounts(entries) {
  return entries.map((entry) => entry.values.amount);
}

test("what is submitted is sent at once", () => {
  const { outbox, seen } = anOutbox();
  submits(outbox, LUNCH);
  assert.deepEqual(amounts(seen.sent), ["12.50"]);
  assert.deepEqual(outbox.outstanding, seen.sent);
});

test("the same again is another expense, the same entry again is not", () => {
  const { outbox, seen } = anOutbox();
  const entries = submits(outbox, LUNCH, LUNCH, BUS);
  assert.equal(new Set(entries.map((entry) => entry.id)).size, 3);
  outbox.push(entries[1]);
  assert.deepEqual(amounts(outbox.outstanding), ["12.50", "12.50", "2.40"]);
  for (const entry of entries) outbox.answer(entry.id);
  assert.deepEqual(outbox.outstanding, []);
  outbox.push(entries[1]); // it was refused, and is sent once more
  assert.deepEqual(amounts(seen.sent), ["12.50", "12.50", "2.40", "12.50"]);
});

test("a pending entry that is pushed again is sent at once", () => {
  const { outbox, seen } = anOutbox();
  const [entry] = submits(outbox, LUNCH);
  outbox.push(entry);
  assert.equal(seen.sent.length, 2);
  assert.deepEqual(outbox.outstanding, [entry]);
});

test("what is submitted while an answer is outstanding is queued and sent after it, in order", () => {
  const { outbox, seen } = anOutbox();
  submits(outbox, LUNCH, BUS, BOOK);
  assert.deepEqual(amounts(seen.sent), ["12.50"]);
  assert.equal(outbox.answer(seen.sent[0].id), seen.sent[0]);
  assert.deepEqual(amounts(seen.sent), ["12.50", "2.40"]);
  outbox.answer(seen.sent[1].id);
  outbox.answer(seen.sent[2].id);
  assert.deepEqual(amounts(seen.sent), ["12.50", "2.40", "22"]);
  assert.deepEqual(outbox.outstanding, []);
});

test("an unanswered entry is sent again with the same id, every ten seconds", async () => {
  const { outbox, seen } = anOutbox();
  submits(outbox, LUNCH);
  clock.tick(9_999);
  assert.equal(seen.sent.length, 1);
  clock.tick(1);
  await settled();
  clock.tick(10_000);
  assert.equal(seen.sent.length, 3);
  assert.equal(new Set(seen.sent.map((entry) => entry.id)).size, 1);
  assert.deepEqual(seen.tries, [1, 2]);
});

test("an entry that did not get away is sent again after a second", async () => {
  const { outbox, seen } = anOutbox();
  seen.isAway = true;
  submits(outbox, LUNCH);
  await settled();
  clock.tick(1_000);
  assert.equal(seen.sent.length, 2);
  seen.isAway = false;
  await settled();
  clock.tick(1_000);
  await settled();
  clock.tick(9_999);
  assert.equal(seen.sent.length, 3); // which got away: its answer has ten seconds
  assert.deepEqual(seen.tries, [1, 2]);
});

test("a sender that raises at once is one that did not get away", async () => {
  let tries = 0;
  const outbox = new Outbox({
    send: () => {
      throw new Error("away");
    },
    unanswered: () => {
      tries += 1;
    },
  });
  submits(outbox, LUNCH);
  await settled();
  clock.tick(1_000);
  assert.equal(tries, 1);
});

test("what is answered is not sent again", async () => {
  const { outbox, seen } = anOutbox();
  submits(outbox, LUNCH);
  outbox.answer(seen.sent[0].id);
  await settled();
  clock.tick(60_000);
  assert.equal(seen.sent.length, 1);
  assert.deepEqual(seen.tries, []);
});

test("a failure to send that is heard of after the answer changes nothing", async () => {
  const { outbox, seen } = anOutbox();
  seen.isAway = true;
  submits(outbox, LUNCH);
  outbox.answer(seen.sent[0].id);
  await settled();
  clock.tick(60_000);
  assert.equal(seen.sent.length, 1);
  assert.deepEqual(seen.tries, []);
});

test("the tries are counted anew for each entry", () => {
  const { outbox, seen } = anOutbox();
  submits(outbox, LUNCH);
  submits(outbox, BUS);
  clock.tick(10_000);
  outbox.answer(seen.sent[0].id);
  clock.tick(10_000);
  assert.deepEqual(seen.tries, [1, 1]);
});

test("answers to other ids are ignored", () => {
  const { outbox, seen } = anOutbox();
  assert.equal(outbox.answer(undefined), null);
  submits(outbox, LUNCH);
  submits(outbox, BUS);
  const queued = outbox.outstanding[1];
  for (const id of ["another", undefined, queued.id]) {
    assert.equal(outbox.answer(id), null);
  }
  outbox.answer(seen.sent[0].id);
  assert.equal(outbox.answer(seen.sent[0].id), null); // a second answer to the first
  assert.deepEqual(amounts(outbox.outstanding), ["2.40"]);
});

test("the lists that it gives out are copies", () => {
  const { outbox } = anOutbox();
  submits(outbox, LUNCH, BUS);
  outbox.outstanding.pop();
  assert.equal(outbox.outstanding.length, 2);
});

test("one that is stopped sends nothing again and drops nothing", () => {
  const { outbox, seen } = anOutbox();
  submits(outbox, LUNCH);
  outbox.stop();
  clock.tick(60_000);
  assert.deepEqual(amounts(seen.sent), ["12.50"]);
  assert.deepEqual(amounts(outbox.outstanding), ["12.50"]);
});

test("one that is cleared has nothing outstanding and hears no answer", () => {
  const { outbox, seen } = anOutbox();
  submits(outbox, LUNCH, BUS, BOOK);
  outbox.clear();
  clock.tick(60_000);
  assert.equal(outbox.answer(seen.sent[0].id), null);
  assert.deepEqual([seen.sent.length, outbox.outstanding], [1, []]);
});
