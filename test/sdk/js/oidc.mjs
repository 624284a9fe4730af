// A real OpenID Connect provider, node-oidc-provider, on a free port of loopback.
// It prints its issuer and ends with its standard input. Its one client gets JWT
// access tokens for the resource server https://books.example by client
// credentials.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const server = createServer((req, res) => handle(req, res));
let handle;
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: "shop", client_secret: "secret", grant_types: ["client_credentials"], redirect_uris: [], response_types: [] }],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx, audience) => ({ scope: "books:read books:write", audience, accessTokenFormat: "jwt", accessTokenTTL: 600 }),
      },
    },
  });
  handle = provider.callback();
  console.log(issuer);
});
process.stdin.on("end", () => process.exit(0)).resume();
