// Makes nodes from text, never from markup, and updates lists.

export const make = (tag, text, className) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
};

const CONTROLS = "button, summary, a";
const drawn = new WeakMap(); // The item that a node shows, as JSON.

// Updates a list. The node of an unchanged item stays, so that it keeps its focus, its selection and
// its open details. If a changed item has the focus, the same control of its new node gets it.
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
