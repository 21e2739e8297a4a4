import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { Outbox } from "../../expense_lib/app/widgets/form/outbox.js";
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

// An outbox with what it sent, kept and said. What is sent gets away unless *isAway*.
function anOutbox(kept = null) {
  const seen = {
    sent: [],
    tries: [],
    kept: JSON.stringify(kept ?? { outstanding: [], missed: [] }),
    isAway: false,
  };
  const outbox = new Outbox({
    send: async (entry) => {
      seen.sent.push(entry);
      if (seen.isAway) throw new Error("away");
    },
    unanswered: (tries) => seen.tries.push(tries),
    changed: () => {
      seen.kept = JSON.stringify({ outstanding: outbox.outstanding, missed: outbox.missed });
    },
  });
  if (kept) outbox.restore(kept);
  return { outbox, seen };
}

function amounts(entries) {
  return entries.map((entry) => entry.values.amount);
}

function added(entry) {
  return { id: entry.id, kind: "added", text: "Added." };
}

function refused(entry, errors = { amount: "Amount must be a plain decimal." }) {
  return { id: entry.id, kind: "danger", text: "Not added yet: see above.", errors };
}

test("what is submitted is sent at once", () => {
  const { outbox, seen } = anOutbox();
  assert.equal(outbox.submit(LUNCH), true);
  assert.deepEqual(amounts(seen.sent), ["12.50"]);
  assert.deepEqual(outbox.outstanding, seen.sent);
});

test("a double click is sent once", () => {
  const { outbox, seen } = anOutbox();
  outbox.submit(LUNCH);
  assert.equal(outbox.submit({ ...LUNCH }), false);
  outbox.submit(BUS);
  assert.equal(outbox.submit({ ...BUS }), false);
  assert.deepEqual(amounts(outbox.outstanding), ["12.50", "2.40"]);
  assert.equal(seen.sent.length, 1);
});

test("the same again after another, or after its answer, is another expense", () => {
  const { outbox, seen } = anOutbox();
  for (const values of [LUNCH, BUS, LUNCH]) assert.equal(outbox.submit(values), true);
  assert.equal(new Set(outbox.outstanding.map((entry) => entry.id)).size, 3);
  for (const entry of outbox.outstanding) outbox.answer(added(entry), {});
  assert.deepEqual(outbox.outstanding, []);
  assert.equal(outbox.submit(LUNCH), true);
  assert.deepEqual(amounts(seen.sent), ["12.50", "2.40", "12.50", "12.50"]);
});

test("what is submitted while an answer is outstanding is queued and sent after it, in order", () => {
  const { outbox, seen } = anOutbox();
  for (const values of [LUNCH, BUS, BOOK]) outbox.submit(values);
  assert.deepEqual(amounts(seen.sent), ["12.50"]);
  assert.equal(outbox.answer(added(seen.sent[0]), BOOK), "shown");
  assert.deepEqual(amounts(seen.sent), ["12.50", "2.40"]);
  outbox.answer(added(seen.sent[1]), BOOK);
  outbox.answer(added(seen.sent[2]), BOOK);
  assert.deepEqual(amounts(seen.sent), ["12.50", "2.40", "22"]);
  assert.deepEqual(outbox.outstanding, []);
});

test("an entry is kept before it is sent", () => {
  let kept = [];
  const wasKept = [];
  const outbox = new Outbox({
    send: async (entry) => wasKept.push(kept.includes(entry.id)),
    unanswered: () => {},
    changed: () => {
      kept = outbox.outstanding.map((entry) => entry.id);
    },
  });
  outbox.submit(LUNCH);
  outbox.submit(BUS);
  outbox.answer(added(outbox.outstanding[0]), {});
  assert.deepEqual(wasKept, [true, true]);
});

test("an answered entry is kept no more once the next is sent", () => {
  let kept = [];
  const keptThen = [];
  const outbox = new Outbox({
    send: async () => keptThen.push(amounts(kept)),
    unanswered: () => {},
    changed: () => {
      kept = outbox.outstanding;
    },
  });
  outbox.submit(LUNCH);
  outbox.submit(BUS);
  outbox.answer(added(outbox.outstanding[0]), {});
  assert.deepEqual(keptThen, [["12.50"], ["2.40"]]);
});

test("an unanswered entry is sent again with the same id, every ten seconds", async () => {
  const { outbox, seen } = anOutbox();
  outbox.submit(LUNCH);
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
  outbox.submit(LUNCH);
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
    changed: () => {},
  });
  outbox.submit(LUNCH);
  await settled();
  clock.tick(1_000);
  assert.equal(tries, 1);
});

test("what is answered is not sent again", async () => {
  const { outbox, seen } = anOutbox();
  outbox.submit(LUNCH);
  outbox.answer(added(seen.sent[0]), LUNCH);
  await settled();
  clock.tick(60_000);
  assert.equal(seen.sent.length, 1);
  assert.deepEqual(seen.tries, []);
});

test("a failure to send that is heard of after the answer changes nothing", async () => {
  const { outbox, seen } = anOutbox();
  seen.isAway = true;
  outbox.submit(LUNCH);
  outbox.answer(added(seen.sent[0]), LUNCH);
  await settled();
  clock.tick(60_000);
  assert.equal(seen.sent.length, 1);
  assert.deepEqual(seen.tries, []);
});

test("the tries are counted anew for each entry", () => {
  const { outbox, seen } = anOutbox();
  outbox.submit(LUNCH);
  outbox.submit(BUS);
  clock.tick(10_000);
  outbox.answer(added(seen.sent[0]), BUS);
  clock.tick(10_000);
  assert.deepEqual(seen.tries, [1, 1]);
});

test("answers to other ids are ignored", () => {
  const { outbox, seen } = anOutbox();
  assert.equal(outbox.answer({ kind: "added" }, LUNCH), "ignored");
  outbox.submit(LUNCH);
  outbox.submit(BUS);
  const queued = outbox.outstanding[1];
  for (const id of ["another", undefined, queued.id]) {
    assert.equal(outbox.answer({ ...added(queued), id }, BUS), "ignored");
  }
  outbox.answer(added(seen.sent[0]), BUS);
  assert.equal(outbox.answer(added(seen.sent[0]), BUS), "ignored"); // a second answer to the first
  assert.deepEqual(amounts(outbox.outstanding), ["2.40"]);
});

test("a refusal of what is in the form is shown and not missed", () => {
  const { outbox, seen } = anOutbox();
  outbox.submit(LUNCH);
  assert.equal(outbox.answer(refused(seen.sent[0]), { ...LUNCH }), "shown");
  assert.deepEqual([outbox.missed, outbox.outstanding], [[], []]);
});

test("a refusal while the next is typed is missed, with the reason", () => {
  const { outbox, seen } = anOutbox();
  outbox.submit(LUNCH);
  assert.equal(outbox.answer(refused(seen.sent[0], { amount: "One.", date: "Two." }), BUS), "missed");
  assert.deepEqual(outbox.missed, [{ values: LUNCH, why: "One. Two." }]);
});

test("a refusal without a field says its text", () => {
  const { outbox, seen } = anOutbox();
  outbox.submit(LUNCH);
  outbox.answer({ id: seen.sent[0].id, kind: "warn", text: "Already recorded." }, BUS);
  assert.equal(outbox.missed[0].why, "Already recorded.");
});

test("a refusal while the next is queued is missed, though the form looks the same", () => {
  const { outbox, seen } = anOutbox();
  for (const values of [LUNCH, BUS]) outbox.submit(values);
  assert.equal(outbox.answer(refused(seen.sent[0]), LUNCH), "missed");
  assert.deepEqual(amounts(seen.sent), ["12.50", "2.40"]);
});

test("what was missed is there until it is forgotten, one by one", () => {
  const { outbox, seen } = anOutbox();
  for (const values of [LUNCH, BUS, LUNCH]) outbox.submit(values);
  for (let at = 0; at < 3; at += 1) outbox.answer(refused(seen.sent[at]), BOOK);
  assert.deepEqual(amounts(outbox.missed), ["12.50", "2.40", "12.50"]);
  outbox.forget(outbox.missed[0]);
  assert.deepEqual(amounts(outbox.missed), ["2.40", "12.50"]);
  assert.deepEqual(amounts(JSON.parse(seen.kept).missed), ["2.40", "12.50"]);
});

test("a reload keeps what is outstanding and missed, in order, and sends it under the same ids", () => {
  const before = anOutbox();
  for (const values of [LUNCH, BUS, BOOK]) before.outbox.submit(values);
  before.outbox.answer(refused(before.seen.sent[0]), BOOK);
  const ids = before.outbox.outstanding.map((entry) => entry.id);
  const { outbox, seen } = anOutbox(JSON.parse(before.seen.kept));
  assert.deepEqual(amounts(outbox.missed), ["12.50"]);
  assert.deepEqual(
    outbox.outstanding.map((entry) => entry.id),
    ids,
  );
  assert.deepEqual(seen.sent, [before.outbox.outstanding[0]]);
  assert.equal(seen.kept, before.seen.kept);
});

test("the lists that it gives out are copies", () => {
  const { outbox, seen } = anOutbox();
  for (const values of [LUNCH, BUS]) outbox.submit(values);
  outbox.answer(refused(seen.sent[0]), BUS);
  outbox.outstanding.pop();
  outbox.missed.pop();
  assert.deepEqual([outbox.outstanding.length, outbox.missed.length], [1, 1]);
});

test("one that is stopped sends nothing again and drops nothing", () => {
  const { outbox, seen } = anOutbox();
  outbox.submit(LUNCH);
  outbox.stop();
  clock.tick(60_000);
  assert.deepEqual(amounts(seen.sent), ["12.50"]);
  assert.deepEqual(amounts(outbox.outstanding), ["12.50"]);
});

test("one that is cleared has nothing outstanding or missed and hears no answer", () => {
  const { outbox, seen } = anOutbox();
  for (const values of [LUNCH, BUS, BOOK]) outbox.submit(values);
  outbox.answer(refused(seen.sent[0]), BOOK);
  outbox.clear();
  clock.tick(60_000);
  assert.equal(outbox.answer(added(seen.sent[1]), BOOK), "ignored");
  assert.deepEqual([seen.sent.length, outbox.outstanding, outbox.missed], [2, [], []]);
});

// Random sequences

// Numbers from 0 to below *limit*, the same for each *seed* (mulberry32).
function randomOf(seed) {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

// Somebody who submits, reloads and forgets at random, and a ledger behind a network that loses, repeats and delays.
class World {
  #random;
  #submitted = [];
  #answered = [];
  #forgotten = [];
  #requests = [];
  #answers = [];
  #verdicts = new Map(); // the ledger: what became of each id
  #kept = JSON.stringify({ outstanding: [], missed: [] });

  constructor(seed) {
    this.#random = randomOf(seed);
    this.reload();
  }

  steps = [
    () => this.submit(),
    () => this.submit(),
    () => this.submitAgain(),
    () => this.deliverRequest(),
    () => this.deliverRequest(),
    () => this.deliverAnswer(),
    () => this.deliverAnswer(),
    () => this.lose(),
    () => clock.tick(this.#random(12_000)),
    () => this.forget(),
    () => this.reload(),
  ];

  step() {
    this.steps[this.#random(this.steps.length)]();
    this.check();
  }

  // A page that is left answers nothing more; its answers on the way reach the next one.
  reload() {
    this.outbox?.stop();
    const outbox = new Outbox({
      send: async (entry) => {
        this.#requests.push(entry);
        if (this.#random(8) === 0) throw new Error("lost, or so it seems");
      },
      unanswered: () => {},
      changed: () => {
        this.#kept = JSON.stringify({ outstanding: outbox.outstanding, missed: outbox.missed });
      },
    });
    this.outbox = outbox;
    outbox.restore(JSON.parse(this.#kept));
  }

  submit() {
    const values = { amount: String(this.#submitted.length) };
    assert.equal(this.outbox.submit(values), true);
    this.#submitted.push(values.amount);
  }

  submitAgain() {
    const last = this.outbox.outstanding.at(-1);
    if (last) assert.equal(this.outbox.submit({ ...last.values }), false);
  }

  deliverRequest() {
    const entry = this.#taken(this.#requests);
    if (!entry) return;
    const kind = this.#verdicts.get(entry.id)?.kind ?? (this.#random(3) ? "added" : "danger");
    this.#verdicts.set(entry.id, { kind, amount: entry.values.amount });
    this.#answers.push({ id: entry.id, kind, text: "told" });
    if (this.#random(4) === 0) this.#answers.push({ id: entry.id, kind, text: "told twice" });
  }

  deliverAnswer() {
    const outcome = this.#taken(this.#answers);
    if (!outcome) return;
    const [pending] = this.outbox.outstanding;
    const typed = this.#random(2) && pending ? pending.values : { amount: "half-typed" };
    const result = this.outbox.answer(outcome, typed);
    assert.equal(result === "ignored", outcome.id !== pending?.id);
    if (result === "shown") this.#answered.push(pending.values.amount);
  }

  lose() {
    this.#taken(this.#random(2) ? this.#requests : this.#answers);
  }

  forget() {
    const { missed } = this.outbox;
    if (!missed.length) return;
    const entry = missed[this.#random(missed.length)];
    this.outbox.forget(entry);
    this.#forgotten.push(entry.values.amount);
  }

  #taken(list) {
    return list.length ? list.splice(this.#random(list.length), 1)[0] : null;
  }

  // Each entry that was submitted is in one place exactly, and what is kept is what there is.
  check() {
    const { outstanding, missed } = this.outbox;
    const places = [...this.#answered, ...amounts(outstanding), ...amounts(missed), ...this.#forgotten];
    assert.deepEqual(places.sort(), [...this.#submitted].sort());
    assert.deepEqual(JSON.parse(this.#kept), { outstanding, missed });
    const inLedger = [...this.#verdicts.values()].map((verdict) => verdict.amount);
    assert.equal(new Set(inLedger).size, inLedger.length, "an entry had two ids");
  }

  // The network loses nothing any more: all is answered.
  async drain() {
    for (let round = 0; this.outbox.outstanding.length; round += 1) {
      assert.ok(round < 10_000, "it never ends");
      this.deliverRequest();
      this.deliverAnswer();
      await settled();
      if (!this.#requests.length && !this.#answers.length) clock.tick(10_000);
      this.check();
    }
    assert.equal(this.#verdicts.size, this.#submitted.length);
  }
}

test("whatever happens, each submitted entry is answered, outstanding, missed or forgotten, once", async () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const world = new World(seed);
    try {
      for (let at = 0; at < 80; at += 1) {
        world.step();
        if (at % 8 === 0) await settled();
      }
      await world.drain();
    } catch (error) {
      error.message = `seed ${seed}: ${error.message}`;
      throw error;
    }
    world.outbox.stop();
  }
});
