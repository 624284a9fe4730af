// Drives a WebSocket API with ws and its connections with the AWS SDK for
// JavaScript. websocket_test.go runs it, with what it needs in the environment.
import assert from 'node:assert/strict';
import { once } from 'node:events';

import {
  ApiGatewayManagementApiClient, DeleteConnectionCommand, GetConnectionCommand, PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import WebSocket from 'ws';

const { URL: url, CALLBACK } = process.env;
const client = new ApiGatewayManagementApiClient({
  endpoint: CALLBACK, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' }, maxAttempts: 1,
});
process.on('uncaughtException', (error) => { console.error(error); process.exit(1); });
setTimeout(() => { console.error('nothing more happens'); process.exit(1); }, 60_000).unref();

// open connects and collects what comes.
async function open(query = '', protocols = [], options = {}) {
  const socket = new WebSocket(url + query, protocols, options);
  const waiting = [], came = [];
  socket.on('message', (data, isBinary) => {
    assert.equal(isBinary, false, 'messages are text');
    const text = data.toString();
    waiting.length > 0 ? waiting.shift()(text) : came.push(text);
  });
  socket.next = () => (came.length > 0 ? came.shift() : new Promise((resolve) => waiting.push(resolve)));
  socket.ask = (text) => { socket.send(text); return socket.next(); };
  socket.ended = new Promise((resolve) => socket.on('close', (code, reason) => resolve([code, reason.toString()])));
  await once(socket, 'open');
  return socket;
}

// A handshake: ws offers compression, which isn't taken, and subprotocols.
const plain = await open();
assert.equal(plain.extensions, '');
assert.equal(plain.protocol, '');
const spoken = await open('', ['chat', 'superchat']);
assert.equal(spoken.protocol, 'chat');
await assert.rejects(open('?token=wrong'), /Unexpected server response: 401/);

// Messages: of any text, in fragments, as long as they may be.
assert.equal(await plain.ask('Hello'), 'Hello');
assert.equal(await plain.ask('häß 你好 😀'), 'häß 你好 😀');
const quarter = 'x'.repeat(32 * 1024);
for (let i = 0; i < 4; i++) plain.send(quarter, { fin: i === 3 });
assert.equal(await plain.next(), quarter.repeat(4));
plain.ping('are you there');
assert.equal((await once(plain, 'pong'))[0].toString(), 'are you there');

// Each client has its own answers, many at a time.
const crowd = await Promise.all(Array.from({ length: 20 }, () => open()));
const answers = await Promise.all(crowd.map((socket, i) => socket.ask(`I am ${i}`)));
answers.forEach((answer, i) => assert.equal(answer, `I am ${i}`));
crowd.forEach((socket) => socket.close(1000));
for (const socket of crowd) assert.deepEqual(await socket.ended, [1000, '']);

// Offences.
const binary = await open();
binary.send(Buffer.from([0, 255]));
assert.equal((await binary.ended)[0], 1003);
const long = await open('', [], { perMessageDeflate: false });
long.send('x'.repeat(32 * 1024 + 1));
assert.equal((await long.ended)[0], 1009);

// The client's own end.
spoken.close(4001, 'häß');
assert.equal((await spoken.ended)[0], 4001);

// @connections, with the SDK.
const ConnectionId = await plain.ask('who');
await client.send(new PostToConnectionCommand({ ConnectionId, Data: 'posted ä' }));
assert.equal(await plain.next(), 'posted ä');
await client.send(new PostToConnectionCommand({ ConnectionId, Data: 'y'.repeat(128 * 1024) }));
assert.equal(await plain.next(), 'y'.repeat(128 * 1024));
const known = await client.send(new GetConnectionCommand({ ConnectionId }));
assert.equal(known.Identity.SourceIp ?? known.Identity.sourceIp, '127.0.0.1');
assert.ok(known.ConnectedAt instanceof Date && known.LastActiveAt >= known.ConnectedAt);
await assert.rejects(client.send(new PostToConnectionCommand({ ConnectionId, Data: 'y'.repeat(128 * 1024 + 1) })), { name: 'PayloadTooLargeException' });
await client.send(new DeleteConnectionCommand({ ConnectionId }));
assert.deepEqual(await plain.ended, [1000, 'Connection Closed Normally']);
for (const Command of [PostToConnectionCommand, GetConnectionCommand, DeleteConnectionCommand]) {
  await assert.rejects(client.send(new Command({ ConnectionId, Data: 'x' })), (error) => error.name === 'GoneException' && error.$metadata.httpStatusCode === 410);
}
