// Calls APIs that take signed requests only, with the signers of the AWS SDK for
// JavaScript and with aws4. signing_test.go runs it, with the addresses and keys
// in the environment.
import assert from 'node:assert/strict';
import http from 'node:http';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { SignatureV4a } from '@smithy/signature-v4a';
import aws4 from 'aws4';
import WebSocket from 'ws';

const { ADDRESS, REGION, REST, HTTP, SOCKET } = process.env;
const [hostname, port] = ADDRESS.split(':');
const alice = { accessKeyId: process.env.KEY, secretAccessKey: process.env.SECRET };
const session = { accessKeyId: process.env.SESSION_KEY, secretAccessKey: process.env.SESSION_SECRET, sessionToken: process.env.SESSION_TOKEN };
const hostOf = (api) => `${api}.execute-api.localhost:${port}`;

const json = { 'content-type': 'application/json' };
const requests = [
  { method: 'GET', path: '/pets' },
  { method: 'GET', path: '/pets/' },
  { method: 'GET', path: '/pets//1' },
  { method: 'GET', path: '/pets/a%20b/%C3%A9/x%2Fy' },
  { method: 'GET', path: '/pets', query: { x: ['1', '0'], a: '/ é+', empty: '', Z: '1' } },
  { method: 'DELETE', path: '/pets/1', headers: { 'x-mine': '  a   b ' } },
  { method: 'POST', path: '/pets', headers: json, body: '{"name":"é"}' },
  { method: 'PUT', path: '/pets/1', headers: json, body: Buffer.alloc(70_000, 'ab') },
];

const escape = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase());
const targetOf = ({ path, query = {} }) => {
  const pairs = Object.entries(query).flatMap(([name, values]) => [values].flat().map((v) => `${escape(name)}=${escape(v)}`));
  return pairs.length ? `${path}?${pairs.join('&')}` : path;
};

function send({ method, target, headers, body }) {
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, method, path: target, headers, agent: false }, (response) => {
      const chunks = [];
      response.on('data', (c) => chunks.push(c));
      response.on('end', () => resolve({ status: response.statusCode, type: response.headers['x-amzn-errortype'], body: Buffer.concat(chunks).toString() }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

const options = (credentials) => ({ credentials, region: REGION, service: 'execute-api', sha256: Sha256 });
const asHttpRequest = (api, r) => ({
  protocol: 'http:', hostname: `${api}.execute-api.localhost`, port: Number(port), method: r.method, path: `/test${r.path}`,
  query: { ...r.query }, headers: { host: hostOf(api), ...r.headers }, body: r.body,
});
// Each signs a request and says what is to be sent.
const signers = {
  header: async (credentials, api, r) => {
    const s = await new SignatureV4(options(credentials)).sign(asHttpRequest(api, r));
    return { method: s.method, target: targetOf(s), headers: s.headers, body: r.body };
  },
  presigned: async (credentials, api, r) => {
    const s = await new SignatureV4(options(credentials)).presign(asHttpRequest(api, r), { expiresIn: 60 });
    return { method: s.method, target: targetOf(s), headers: { ...s.headers, ...r.headers }, body: r.body };
  },
  asymmetric: async (credentials, api, r) => {
    const s = await new SignatureV4a({ ...options(credentials), region: '*' }).sign(asHttpRequest(api, r));
    return { method: s.method, target: targetOf(s), headers: s.headers, body: r.body };
  },
  aws4: async (credentials, api, r) => {
    const s = aws4.sign({ service: 'execute-api', region: REGION, host: hostOf(api), method: r.method, path: targetOf({ ...r, path: `/test${r.path}` }), headers: { ...r.headers }, body: r.body }, credentials);
    return { method: s.method, target: s.path, headers: s.headers, body: r.body };
  },
  'aws4 in the query': async (credentials, api, r) => {
    const s = aws4.sign({ service: 'execute-api', region: REGION, host: hostOf(api), method: r.method, path: targetOf({ ...r, path: `/test${r.path}` }), headers: { ...r.headers }, body: r.body, signQuery: true }, credentials);
    return { method: s.method, target: s.path, headers: s.headers, body: r.body };
  },
};

for (const [kind, api] of [['REST', REST], ['HTTP', HTTP]]) {
  for (const [name, sign] of Object.entries(signers)) {
    for (const credentials of [alice, session]) {
      for (const r of requests) {
        const answer = await send(await sign(credentials, api, r));
        const what = `${kind} ${name} ${r.method} ${r.path}: ${JSON.stringify(answer)}`;
        if (kind === 'HTTP' && name === 'asymmetric') {
          assert.equal(answer.status, 403, what);
          continue;
        }
        assert.equal(answer.status, 200, what);
        if (kind === 'REST') assert.match(answer.body, /:user\/alice$/, what);
        else assert.equal(answer.body, String(r.body ?? ''), what);
      }
      if (kind === 'HTTP' && name === 'asymmetric') continue;
      const altered = await sign(credentials, api, requests[6]);
      const answer = await send({ ...altered, body: altered.body.replace('name', 'mane') });
      assert.equal(answer.status, 403, `${kind} ${name}: ${JSON.stringify(answer)}`);
      if (kind === 'REST') assert.equal(answer.type, 'InvalidSignatureException');
    }
  }
}

// A browser can sign a handshake in its URL only.
const connect = (target) => new Promise((resolve) => {
  const socket = new WebSocket(`ws://${ADDRESS}${target}`, { headers: { host: hostOf(SOCKET) } });
  socket.on('open', () => socket.close());
  socket.on('close', () => resolve(101));
  socket.on('unexpected-response', (request, response) => { request.destroy(); resolve(response.statusCode); });
  socket.on('error', () => {});
});
for (const name of ['presigned', 'aws4 in the query']) {
  for (const credentials of [alice, session]) {
    const { target } = await signers[name](credentials, SOCKET, { method: 'GET', path: '', query: { room: '1' } });
    assert.equal(await connect(target), 101, `a handshake, ${name}`);
    assert.equal(await connect(target.replace('room=1', 'room=2')), 403, `an altered handshake, ${name}`);
  }
}
assert.equal(await connect('/test'), 403, 'a handshake that is not signed');
