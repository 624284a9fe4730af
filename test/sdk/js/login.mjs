// Signs in on a user pool's pages with openid-client and prints the tokens.
// login_test.go runs it, with what it needs in the environment.
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto; // Node 18 has it under this name only
const oidc = await import('openid-client');

const { ENDPOINT, ISSUER, CLIENT, MACHINE, SECRET, CALLBACK, PASSWORD } = process.env;

// The issuer is AWS's by name; the gateway stands in its place.
function options() {
  return {
    execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
    [oidc.customFetch]: (url, init) => fetch(url.startsWith(ISSUER) ? ENDPOINT + url.slice(new URL(url).origin.length) : url, init),
  };
}

// A browser: it keeps cookies and shows forms to nobody.
const cookies = new Map();
async function browse(url, form) {
  const response = await fetch(url, {
    method: form ? 'POST' : 'GET', body: form, redirect: 'manual', headers: { cookie: [...cookies].map((c) => c.join('=')).join('; ') },
  });
  for (const cookie of response.headers.getSetCookie()) {
    const [name, ...text] = cookie.split(';')[0].split('=');
    cookies.set(name, text.join('='));
  }
  const location = response.headers.get('location');
  return location ? new URL(location, url) : { page: await response.text(), status: response.status, url };
}

// signIn goes where a browser goes, until it would leave the pool's pages.
async function signIn(url) {
  let at = await browse(url);
  if (at instanceof URL && at.href.startsWith(CALLBACK)) {
    return at;
  }
  at = await browse(at);
  const text = (pattern) => pattern.exec(at.page)[1].replaceAll('&amp;', '&');
  const form = new URLSearchParams({ _csrf: text(/name="_csrf" value="([^"]*)"/), username: 'ann', password: PASSWORD });
  return browse(new URL(text(/<form method="post" action="([^"]*)"/), at.url), form);
}

const config = await oidc.discovery(new URL(ISSUER), CLIENT, undefined, oidc.None(), options());
assert.ok(config.serverMetadata().supportsPKCE());

async function codeFlow(scope) {
  const verifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  const nonce = oidc.randomNonce();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK, scope, state, nonce, code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  const back = await signIn(url);
  return oidc.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true });
}

const reader = await codeFlow('openid email notes/read');
const claims = reader.claims();
assert.equal(claims.iss, ISSUER);
assert.equal(claims['cognito:username'], 'ann');
const user = await oidc.fetchUserInfo(config, reader.access_token, claims.sub);
assert.equal(user.email, 'ann@example.com');

// Signed in already, for more.
const writer = await codeFlow('openid notes/read notes/write');
await assert.rejects(codeFlow('openid notes/admin'), (e) => e.error === 'invalid_scope');

const renewed = await oidc.refreshTokenGrant(config, reader.refresh_token);
assert.equal(renewed.claims().sub, claims.sub);
await oidc.tokenRevocation(config, reader.refresh_token);
await assert.rejects(oidc.refreshTokenGrant(config, reader.refresh_token), (e) => e.error === 'invalid_grant');
await assert.rejects(oidc.fetchUserInfo(config, renewed.access_token, claims.sub));

const machines = [];
for (const show of [oidc.ClientSecretBasic(SECRET), oidc.ClientSecretPost(SECRET)]) {
  const machine = await oidc.discovery(new URL(ISSUER), MACHINE, undefined, show, options());
  const tokens = await oidc.clientCredentialsGrant(machine, { scope: 'notes/read' });
  machines.push(tokens.access_token);
  await assert.rejects(oidc.clientCredentialsGrant(machine, { scope: 'notes/write' }), (e) => e.error === 'invalid_scope');
}
const wrong = await oidc.discovery(new URL(ISSUER), MACHINE, undefined, oidc.ClientSecretBasic(`${SECRET}x`), options());
await assert.rejects(oidc.clientCredentialsGrant(wrong, { scope: 'notes/read' }), (e) => e.error === 'invalid_client');

console.log(JSON.stringify({ reader: reader.access_token, id: reader.id_token, writer: writer.access_token, machine: machines[0] }));
