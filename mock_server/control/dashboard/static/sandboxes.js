// Updates the list of sandboxes by loading the page again in the background.

import "./copy.js";

const EVERY_MS = 2000;
const shown = document.getElementById("list");

const refresh = async () => {
  if (document.hidden || shown.contains(document.activeElement)) return;
  try {
    // After a rejected key, the page has the address of the form, which only answers a POST.
    const address = location.pathname === "/_mock/" ? location.href : "/_mock/";
    const answer = await fetch(address);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.getElementById("list");
    if (now && now.innerHTML !== shown.innerHTML) shown.replaceChildren(...now.childNodes);
  } catch {
    // The server is not reachable. The list stays as it is until the next refresh succeeds.
  }
};
setInterval(refresh, EVERY_MS);
