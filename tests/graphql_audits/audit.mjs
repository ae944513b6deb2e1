// The audits of GraphQL over HTTP against one server: node audit.mjs URL TOKEN
// Prints one JSON object per audit: id, name, status (ok, notice, warn, error) and, where it is not ok, the reason.
import { serverAudits } from 'graphql-http';

const [url, token] = process.argv.slice(2);
const audits = serverAudits({
  url,
  fetchFn: (address, init = {}) =>
    fetch(address, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } }),
});
for (const audit of audits) {
  const { status, reason } = await audit.fn();
  console.log(JSON.stringify({ id: audit.id, name: audit.name, status, reason }));
}
