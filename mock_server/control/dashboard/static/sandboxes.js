// Updates the list of sandboxes by loading the page again in the background.

const EVERY_MS = 2000;
const shown = document.querySelector("main");

const refresh = async () => {
  if (document.hidden || shown.querySelector("ul")?.contains(document.activeElement)) return;
  try {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.querySelector("main");
    if (answer.ok && now.innerHTML !== shown.innerHTML) shown.replaceChildren(...now.childNodes);
  } catch {
    // The server is not reachable. The list stays as it is until the next refresh succeeds.
  }
};
setInterval(refresh, EVERY_MS);
