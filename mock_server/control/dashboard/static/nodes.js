// Makes nodes out of text, never out of markup, and keeps lists up to date.

export const make = (tag, text, className) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
};

const CONTROLS = "button, summary, a";
const drawn = new WeakMap(); // what a node shows, as JSON

// Brings a list up to date. What has not changed stays as it is, with its focus, its selection
// and what is open in it; the focus in an item that has changed goes to the same place in the new.
export const fill = (list, items, keyOf, build) => {
  const known = new Map([...list.children].map((node) => [node.dataset.key, node]));
  let focused = null;
  const nodes = items.map((item) => {
    const key = String(keyOf(item));
    const written = JSON.stringify(item);
    const old = known.get(key);
    if (old && drawn.get(old) === written) return old;
    const node = build(item);
    node.dataset.key = key;
    drawn.set(node, written);
    if (old?.contains(document.activeElement)) {
      const place = [...old.querySelectorAll(CONTROLS)].indexOf(document.activeElement);
      focused = [...node.querySelectorAll(CONTROLS)][place];
    }
    return node;
  });
  const kept = new Set(nodes);
  for (const node of [...list.children]) if (!kept.has(node)) node.remove();
  nodes.forEach((node, index) => {
    if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
  });
  focused?.focus();
};
