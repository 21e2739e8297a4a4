// What the tray says of an item by itself, where no answer of Python's says it.

const EDIT = { name: "edit", label: "Edit" };
const DROP = { name: "drop", label: "Throw away" };
const AGAIN = { name: "send", label: "Try again" };

export const WAITING = {
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
