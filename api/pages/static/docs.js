// Starts Swagger UI on the contract of this very server.
(async () => {
  const element = document.getElementById("swagger-ui");
  const answer = await fetch(element.dataset.contract).catch(() => null);
  if (!answer?.ok) {
    const message = document.createElement("p");
    message.className = "note";
    message.setAttribute("role", "alert");
    message.textContent = "openapi.json could not be read. Check that the service answers, then reload this page.";
    element.append(message);
    return;
  }
  const contract = await answer.json();
  // The contract names the public address; "Try it out" must go to the server that showed the page, and
  // the Content-Security-Policy lets it go nowhere else.
  const root = new URL(element.dataset.root, location.href).pathname.replace(/\/$/, "");
  contract.servers = [{ url: root, description: "This server" }];
  SwaggerUIBundle({
    spec: contract,
    domNode: element,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    filter: true,
    // A validator badge would ask a server outside the network.
    validatorUrl: null,
  });
})();
