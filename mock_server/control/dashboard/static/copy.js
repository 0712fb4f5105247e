// Copies texts of the page to the clipboard: a button names the element in its attribute data-copy.

const SHOWN_MS = 2000;

// Pages without TLS have no navigator.clipboard, except on loopback. There, the selection is copied.
const copy = async (node) => {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(node.textContent);
    return;
  }
  getSelection().selectAllChildren(node);
  if (!document.execCommand("copy")) throw new Error("The browser does not allow copying.");
};

document.addEventListener("click", async ({ target }) => {
  const button = target.closest?.("[data-copy]");
  if (!button) return;
  const words = button.textContent;
  const node = document.getElementById(button.dataset.copy);
  try {
    await copy(node);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(node); // The user can copy the selection with the keyboard.
    button.textContent = "Press Ctrl+C to copy";
  }
  setTimeout(() => { button.textContent = words; }, SHOWN_MS);
});
