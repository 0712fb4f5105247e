// Writes a request of the journal as a curl command, with the API key in $APIXO_API_KEY.

const LEFT_OUT = new Set([
  "host", "content-length", "connection", "accept-encoding", "user-agent", "transfer-encoding", "cookie",
]);
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

export const curlCommand = ({ request }) => {
  const url = /^https?:/.test(request.path) ? request.path : location.origin + request.path;
  const parts = [`curl -X ${request.method} ${quoted(url)}`];
  for (const [name, text] of request.headers) {
    const lower = name.toLowerCase();
    if (lower === "authorization") parts.push('-H "Authorization: Bearer $APIXO_API_KEY"');
    else if (!LEFT_OUT.has(lower) && !(lower === "accept" && text === "*/*")) parts.push(`-H ${quoted(`${name}: ${text}`)}`);
  }
  if (request.body) parts.push(`--data-raw ${quoted(request.body)}`);
  return parts.join(" \\\n  ");
};
