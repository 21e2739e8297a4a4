// The items of the tray, and what it says of one by itself, where no answer of Python's says it.

export const LATE_AFTER_MS = 1000; // what is not answered by then is shown

const EDIT = { name: "edit", label: "Edit" };
const DROP = { name: "drop", label: "Throw away" };
const AGAIN = { name: "send", label: "Try again" };

const WAITING = {
  kind: "waiting",
  text: "No answer yet. It is sent again; nothing is entered twice.",
  acts: [AGAIN],
};
export const UNSENT = { kind: "draft", text: "Not sent yet.", acts: [EDIT, DROP] };
export const REFUSED = { kind: "refused", acts: [EDIT, DROP] };
export const UNSAID = [AGAIN, EDIT, DROP]; // where a failure has no acts of its own

// What was typed, in one line.
export function titleOf({ amount, description, category }) {
  return [amount, description || category].filter(Boolean).join(", ");
}

// An item as the tray shows it; null while its answer is only awaited.
export function shownOf(item) {
  const { id, kind, values, text, acts, sentAt } = item;
  const title = values ? titleOf(values) : "";
  if (kind !== "sent") return { id, kind, title, text, acts, item };
  return Date.now() - sentAt >= LATE_AFTER_MS ? { id, title, ...WAITING, item } : null;
}
