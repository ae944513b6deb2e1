// Starts GraphiQL on this server's GraphQL endpoint.
(() => {
  const { createElement, createRoot, GraphiQL, createGraphiQLFetcher } = GraphiQLBundle;
  const element = document.getElementById("graphiql");
  const url = new URL(element.dataset.endpoint, location.href).href;

  // INVARIANT: queries, variables and tokens leave no trace in the browser: they may name individuals.
  const kept = new Map();
  const storage = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
    clear: () => kept.clear(),
    get length() {
      return kept.size;
    },
  };

  // The headers shown at first name what is needed; as long as the token is the placeholder it is not sent, so that
  // the server answers as to somebody without a token, not as to somebody with a broken one.
  const placeholder = "Bearer TOKEN";
  const withoutPlaceholder = (address, options) => {
    const headers = new Headers(options.headers);
    if (headers.get("Authorization") === placeholder) headers.delete("Authorization");
    return fetch(address, { ...options, headers });
  };

  createRoot(element).render(
    createElement(GraphiQL, {
      fetcher: createGraphiQLFetcher({ url, fetch: withoutPlaceholder }),
      storage,
      shouldPersistHeaders: false,
      defaultEditorToolsVisibility: "headers",
      defaultHeaders: JSON.stringify({ Authorization: placeholder, Purpose: "prevent-crime" }, null, 2),
      defaultQuery: [
        "# 1. Under Headers, below: your",
        "#    access token for TOKEN.",
        "# 2. Lower left, round arrow:",
        "#    fetch the schema again.",
        "query {",
        "  __typename",
        "}",
        "",
      ].join("\n"),
    }),
  );
})();
