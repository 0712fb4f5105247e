// Calls the control plane for the sandbox of this page.

export const sandbox = document.querySelector("main").dataset.sandbox;

const KINDS = ["submit", "transition", "callback", "request", "clock", "settings", "dropped"];
const RECONNECT_MS = 2000;

export const call = async (method, path, body) => {
  const headers = { "Mock-Sandbox": sandbox };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(`/_mock/${path}`, {
    method, headers, body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (answer.status === 204) return {};
  if (answer.ok) return answer.json();
  const { data, message } = await answer.json().catch(() => ({}));
  throw Object.assign(new Error(data?.error ?? message ?? answer.statusText), { status: answer.status });
};

// Calls `changed` after every event, and `connected` with whether events arrive.
// A hidden page closes its stream, because a browser has only a few connections for each server.
export const listen = (changed, connected) => {
  let source = null;
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(`/_mock/events?sandbox=${sandbox}`);
    for (const kind of KINDS) source.addEventListener(kind, changed);
    source.addEventListener("open", () => { connected(true); changed(); });
    source.addEventListener("error", ({ target }) => {
      connected(false);
      if (target.readyState === EventSource.CLOSED) { // After a rejection, the browser does not retry by itself.
        close();
        setTimeout(open, RECONNECT_MS);
      }
    });
  };
  const close = () => { source?.close(); source = null; };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  open();
};
