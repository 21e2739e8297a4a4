// What is typed and unsent, kept for this tab so that a reload brings it back.

// Where the draft of the page at *location* is kept: the demo has one of its own.
export function draftName({ pathname, search }) {
  const demo = new URLSearchParams(search).has("demo") ? "demo" : "";
  return `expenses:typed:${pathname}:${demo}`;
}

// Both do nothing in a browser that keeps nothing, where even to name the storage may raise.

export function keepDraft(name, draft) {
  try {
    sessionStorage.setItem(name, JSON.stringify(draft));
  } catch {
    // see above
  }
}

// The draft that was kept last; null if there is none.
export function keptDraft(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name) ?? "null");
  } catch {
    return null;
  }
}
