// Imports, deploys, calls, exports and reimports the bookshop with the AWS SDK
// for JavaScript. js_test.go runs it, with what it needs in the environment.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';

import {
  ApiGatewayV2Client, CreateStageCommand, DeleteApiCommand, ExportApiCommand, GetApiCommand, GetIntegrationsCommand, GetRoutesCommand,
  ImportApiCommand, ReimportApiCommand,
} from '@aws-sdk/client-apigatewayv2';

const { ENDPOINT, DOCUMENT, CALLS, BACKEND, ROUTES } = process.env;
const document = readFileSync(DOCUMENT, 'utf8');
const calls = JSON.parse(readFileSync(CALLS, 'utf8'));
const gateway = new URL(ENDPOINT);

const client = new ApiGatewayV2Client({
  endpoint: ENDPOINT, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' }, maxAttempts: 1,
});

// call sends a request to an API by its host name and resolves to the answer.
function call(api, method, path) {
  return new Promise((resolve, reject) => {
    const request = http.request({
      host: gateway.hostname, port: gateway.port, method, path, headers: { host: `${api}.execute-api.localhost:${gateway.port}` },
    }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => { body += chunk; }).on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    request.on('error', reject).end();
  });
}

// served compares what comes of every request with what must.
async function served(api) {
  for (const want of calls) {
    const [method, path] = want.call.split(' ');
    const got = await call(api, method, path);
    if (want.refused) {
      assert.ok(got.status >= 400, `${want.call} was answered: ${got.status} ${got.body}`);
      continue;
    }
    assert.deepEqual([got.status, got.body], [want.status, want.saw ?? ''], want.call);
    for (const [name, value] of Object.entries(want.header ?? {})) {
      assert.equal(got.headers[name], value, `${want.call}: ${name}`);
    }
  }
}

async function exported(api, outputType, more = {}) {
  const out = await client.send(new ExportApiCommand({ ApiId: api, OutputType: outputType, Specification: 'OAS30', ...more }));
  return Buffer.from(out.body).toString('utf8');
}

// all lists everything a list command has, page by page.
async function all(Command, api) {
  const items = [];
  for (let token; ;) {
    const page = await client.send(new Command({ ApiId: api, MaxResults: '50', NextToken: token }));
    items.push(...page.Items);
    token = page.NextToken;
    if (!token) {
      return items;
    }
  }
}

const imported = await client.send(new ImportApiCommand({ Body: document, FailOnWarnings: true }));
assert.equal(imported.Name, 'Bookshop');
assert.deepEqual(imported.Tags, { team: 'platform', catalogue: 'public', orders: '' });
assert.ok(imported.ImportInfo.includes('paths./books.post: key [requestBody] will be ignored by API Gateway'), 'the import info');
const api = imported.ApiId;
const routes = await all(GetRoutesCommand, api);
const integrations = await all(GetIntegrationsCommand, api);
assert.equal(routes.length, Number(ROUTES));

await client.send(new CreateStageCommand({ ApiId: api, StageName: '$default', AutoDeploy: true, StageVariables: { backend: BACKEND, index: 'titles' } }));
await served(api);

const json = await exported(api, 'JSON');
assert.equal(JSON.parse(json).paths['/books/{bookId}'].get.operationId, 'GetBook');
for (const body of [json, await exported(api, 'YAML'), await exported(api, 'YAML', { StageName: '$default' }), document]) {
  const reimported = await client.send(new ReimportApiCommand({ ApiId: api, Body: body, FailOnWarnings: true }));
  assert.equal(reimported.ApiId, api);
  assert.equal(await exported(api, 'JSON'), json, 'exported, imported and exported again');
  assert.deepEqual(await all(GetRoutesCommand, api), routes);
  assert.deepEqual(await all(GetIntegrationsCommand, api), integrations);
}
await served(api);

const plain = JSON.parse(await exported(api, 'JSON', { IncludeExtensions: false }));
assert.ok(!JSON.stringify(plain).includes('x-amazon-apigateway-integration"'), 'extensions that were not asked for');

await assert.rejects(client.send(new ImportApiCommand({ Body: '{"openapi":"3.1.0"}' })), {
  name: 'BadRequestException', message: "Unable to build importer with provided input. Unable to determine OAS version from '3.1.0'",
});
await client.send(new DeleteApiCommand({ ApiId: api }));
await assert.rejects(client.send(new GetApiCommand({ ApiId: api })), { name: 'NotFoundException' });
