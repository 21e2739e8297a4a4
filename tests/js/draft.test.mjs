import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { draftName, keepDraft, keptDraft } from "../../expense_lib/app/widgets/form/draft.js";
import { openTab } from "./dom.mjs";

beforeEach(() => openTab());

test("a draft is kept as it was", () => {
  keepDraft("here", { values: { amount: "1" }, missed: [] });
  keepDraft("there", null);
  assert.deepEqual(keptDraft("here"), { values: { amount: "1" }, missed: [] });
});

test("there is none before one is kept", () => assert.equal(keptDraft("here"), null));

test("the demo has a draft of its own, and so has each address", () => {
  const names = [
    { pathname: "/", search: "" },
    { pathname: "/", search: "?demo=1" },
    { pathname: "/ledger/", search: "" },
  ].map(draftName);
  assert.equal(new Set(names).size, 3);
  assert.equal(draftName({ pathname: "/", search: "?q=lunch" }), names[0]);
});

test("a browser that keeps nothing is no reason to fail", () => {
  Object.defineProperty(globalThis, "sessionStorage", {
    configurable: true,
    get() {
      throw new Error("denied");
    },
  });
  try {
    keepDraft("here", {});
    assert.equal(keptDraft("here"), null);
  } finally {
    Object.defineProperty(globalThis, "sessionStorage", { configurable: true, writable: true, value: null });
  }
});

test("a draft that can't be read is none", () => {
  sessionStorage.setItem("here", "{");
  assert.equal(keptDraft("here"), null);
});
