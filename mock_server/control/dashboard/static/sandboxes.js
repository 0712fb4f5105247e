// Keeps the list of sandboxes up to date: takes the list of the page as the server writes it now.

const EVERY_MS = 2000;
const shown = document.querySelector("main");

const look = async () => {
  if (document.hidden || shown.querySelector("ul")?.contains(document.activeElement)) return;
  try {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.querySelector("main");
    if (answer.ok && now.innerHTML !== shown.innerHTML) shown.replaceChildren(...now.childNodes);
  } catch {
    // The server is away: what was seen last stays, and the next look finds it again.
  }
};
setInterval(look, EVERY_MS);
