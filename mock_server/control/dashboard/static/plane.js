// Speaks with the control plane about the sandbox that the page shows.

export const sandbox = document.querySelector("main").dataset.sandbox;

const KINDS = ["submit", "transition", "callback", "request", "clock", "settings", "dropped"];
const AGAIN_MS = 2000;

export const call = async (method, path, body) => {
  const headers = { "Mock-Sandbox": sandbox };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(`/_mock/${path}`, {
    method, headers, body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (answer.status === 204) return {};
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.data?.error ?? answer.statusText);
  return told;
};

// Calls `changed` whenever something has happened, and tells `connected` whether it would.
// A page that nobody sees takes none of the few connections that a browser has for a server.
export const listen = (changed, connected) => {
  let source = null;
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(`/_mock/events?sandbox=${sandbox}`);
    for (const kind of KINDS) source.addEventListener(kind, changed);
    source.addEventListener("open", () => { connected(true); changed(); });
    source.addEventListener("error", ({ target }) => {
      connected(false);
      if (target.readyState === EventSource.CLOSED) { // refused, which the browser takes for good
        close();
        setTimeout(open, AGAIN_MS);
      }
    });
  };
  const close = () => { source?.close(); source = null; };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  open();
};
