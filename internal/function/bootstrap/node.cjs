// The bootstrap of nodejs* functions: loads the handler and serves invocations one by one over the socket on fd 3.
//
// Between invocations the process waits in a blocking read. That is cheap, and it is also what AWS does: an
// environment is frozen from its answer to its next event, timers and sockets included.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const util = require('node:util');

const FD = 3;
const T = {
  invoke: 0x49, ready: 0x52, initError: 0x46, result: 0x4f, error: 0x45, fatal: 0x58,
  streamStart: 0x53, streamData: 0x44, streamEnd: 0x5a, log: 0x4c,
};

// ---- frames: u32 length of the body, u8 type, body ----

let inBuf = Buffer.allocUnsafeSlow(64 << 10);
let inStart = 0;
let inEnd = 0;
const outBuf = Buffer.allocUnsafeSlow(64 << 10);

function writeAll(buf, length) {
  for (let at = 0; at < length;) at += fs.writeSync(FD, buf, at, length - at);
}

// sendText writes one frame whose body is a string, in a single write when it fits.
function sendText(type, text) {
  let buf = outBuf;
  let length;
  if (text.length * 3 + 5 <= outBuf.length) {
    length = buf.utf8Write(text, 5);
  } else {
    length = Buffer.byteLength(text);
    buf = Buffer.allocUnsafe(length + 5);
    buf.utf8Write(text, 5);
  }
  buf.writeUInt32BE(length, 0);
  buf[4] = type;
  writeAll(buf, length + 5);
}

function sendBytes(type, bytes) {
  const buf = bytes.length + 5 <= outBuf.length ? outBuf : Buffer.allocUnsafe(bytes.length + 5);
  buf.writeUInt32BE(bytes.length, 0);
  buf[4] = type;
  buf.set(bytes, 5);
  writeAll(buf, bytes.length + 5);
}

// fill reads until n bytes lie between inStart and inEnd.
function fill(n) {
  if (inEnd - inStart >= n) return;
  if (inStart + n > inBuf.length) {
    const next = n > inBuf.length ? Buffer.allocUnsafeSlow(n) : inBuf;
    inBuf.copy(next, 0, inStart, inEnd);
    inEnd -= inStart;
    inStart = 0;
    inBuf = next;
  }
  while (inEnd - inStart < n) {
    const got = fs.readSync(FD, inBuf, inEnd, inBuf.length - inEnd, null);
    if (got === 0) process.reallyExit(0); // the gateway is gone
    inEnd += got;
  }
}

function readInvocation() {
  if (inStart === inEnd) {
    inStart = inEnd = 0;
    if (inBuf.length > 1 << 20) inBuf = Buffer.allocUnsafeSlow(64 << 10);
  }
  fill(5);
  const length = inBuf.readUInt32BE(inStart);
  const type = inBuf[inStart + 4];
  inStart += 5;
  fill(length);
  if (type !== T.invoke) throw new Error(`unexpected frame ${type}`);
  const end = inStart + length;
  let at = inStart;
  const deadline = inBuf.readUInt32BE(at) * 4294967296 + inBuf.readUInt32BE(at + 4);
  at += 8;
  const field = () => {
    const n = inBuf.readUInt32BE(at);
    at += 4 + n;
    return n === 0 ? '' : inBuf.utf8Slice(at - n, at);
  };
  const event = {
    deadline, requestId: field(), arn: field(), traceId: field(), clientContext: field(), identity: field(), body: '',
  };
  event.body = inBuf.utf8Slice(at, end);
  inStart = end;
  return event;
}

// ---- names ----

// Names below localhost are this machine's (RFC 6761, section 6.3). Few resolvers of Linux know, and the hosts of APIs
// are such names by default.
const dns = require('node:dns');
const { lookup } = dns;
function localLookup(hostname, options, ...rest) {
  if (typeof hostname === 'string' && /\.localhost\.?$/i.test(hostname)) {
    hostname = (options?.family ?? options) === 6 ? '::1' : '127.0.0.1';
  }
  return lookup.call(this, hostname, options, ...rest);
}
// util.promisify looks at properties.
dns.lookup = Object.defineProperties(localLookup, Object.getOwnPropertyDescriptors(lookup));

// ---- logging ----

let requestId;
const levels = { TRACE: 1, DEBUG: 2, INFO: 3, WARN: 4, ERROR: 5, FATAL: 6 };
const jsonLogs = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON';

function jsonReplacer(_key, value) {
  if (!(value instanceof Error)) return value;
  return {
    errorType: value.constructor?.name ?? 'UnknownError',
    errorMessage: value.message,
    stackTrace: typeof value.stack === 'string' ? value.stack.split('\n') : value.stack,
    ...value,
  };
}

function jsonLine(time, level, args) {
  const line = { timestamp: time, level, requestId };
  if (args.length === 1) {
    line.message = args[0];
    try {
      return JSON.stringify(line, jsonReplacer);
    } catch {
      line.message = util.format(args[0]);
      return JSON.stringify(line);
    }
  }
  line.message = util.format(...args);
  const error = args.find((a) => a instanceof Error);
  if (error) {
    line.errorType = error.constructor?.name ?? 'UnknownError';
    line.errorMessage = error.message;
    line.stackTrace = typeof error.stack === 'string' ? error.stack.split('\n') : [];
  }
  return JSON.stringify(line);
}

function log(level, args) {
  const time = new Date().toISOString();
  sendText(T.log, jsonLogs ? jsonLine(time, level, args) : `${time}\t${requestId}\t${level}\t${util.format(...args)}`);
}

function patchConsole() {
  const least = levels[process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()] ?? levels.TRACE;
  const at = (level) => (levels[level] >= least ? (...args) => log(level, args) : () => {});
  console.trace = at('TRACE');
  console.debug = at('DEBUG');
  console.info = at('INFO');
  console.log = console.info;
  console.warn = at('WARN');
  console.error = at('ERROR');
  console.fatal = at('FATAL');
}

// enumerable shows an error's own members in JSON, which stringify would leave out.
function enumerable(_key, error) {
  if (!(error instanceof Error)) return error;
  const shown = { errorType: error.name, errorMessage: error.message, code: error.code, ...error };
  if (typeof error.stack === 'string') shown.stack = error.stack.split('\n');
  return shown;
}

function logError(title, reason) {
  const error = reason instanceof Error ? reason : new Error(reason);
  if (jsonLogs) {
    console.error(error);
    return;
  }
  let text;
  try {
    text = JSON.stringify(error, enumerable);
  } catch {
    text = JSON.stringify(errorDocument(error));
  }
  console.error(title, '\t' + text);
}

// ---- errors ----

function runtimeError(name) {
  const type = { [name]: class extends Error {} }[name];
  Object.defineProperty(type.prototype, 'name', { value: `Runtime.${name}`, writable: true, configurable: true });
  return type;
}

const ImportModuleError = runtimeError('ImportModuleError');
const HandlerNotFound = runtimeError('HandlerNotFound');
const MalformedHandlerName = runtimeError('MalformedHandlerName');
const UserCodeSyntaxError = runtimeError('UserCodeSyntaxError');
const MalformedStreamingHandler = runtimeError('MalformedStreamingHandler');
const InvalidStreamingOperation = runtimeError('InvalidStreamingOperation');
const CallbackHandlerDeprecated = runtimeError('CallbackHandlerDeprecated');
const NodeJsExit = runtimeError('NodeJsExit');
const UnhandledPromiseRejection = runtimeError('UnhandledPromiseRejection');

function looksLikeError(e) {
  return util.types.isNativeError(e)
    || (e && [e.name, e.message, e.stack].every((s) => typeof s === 'string' && s !== ''));
}

function errorDocument(e) {
  try {
    if (!looksLikeError(e)) return { errorType: typeof e, errorMessage: e.toString(), trace: [] };
    const clean = (s) => s?.replaceAll('\x7F', '%7F');
    return { errorType: clean(e.name), errorMessage: clean(e.message), trace: clean(e.stack).split('\n') };
  } catch {
    return {
      errorType: 'handled',
      errorMessage:
        'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack',
    };
  }
}

function sendError(type, e) {
  sendText(type, JSON.stringify(errorDocument(e)));
}

// ---- loading the handler ----

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const WATERMARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');

class HttpResponseStream {
  static from(stream, prelude) {
    stream.setContentType('application/vnd.awslambda.http-integration-response');
    const metadata = JSON.stringify(prelude);
    stream._onBeforeFirstWrite = (write) => {
      write(metadata);
      write(new Uint8Array(8));
    };
    return stream;
  }
}

function defineGlobals() {
  const off = process.env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA;
  if (off === '1' || off === 'true') return;
  globalThis.awslambda = {
    streamifyResponse(handler, options) {
      handler[STREAMING] = 'response';
      if (typeof options?.highWaterMark === 'number') handler[WATERMARK] = parseInt(options.highWaterMark, 10);
      return handler;
    },
    HttpResponseStream,
  };
}

function isModulePackage(dir) {
  for (;;) {
    if (dir.endsWith('/node_modules')) return false;
    let text;
    try {
      text = fs.readFileSync(path.join(dir, 'package.json'), 'utf8');
    } catch {
      const up = path.dirname(dir);
      if (up === dir) return false;
      dir = up;
      continue;
    }
    try {
      return JSON.parse(text)?.type === 'module';
    } catch (e) {
      console.warn(`${path.join(dir, 'package.json')} is not JSON and is ignored`, e);
      return false;
    }
  }
}

async function importModule(file) {
  const url = require('node:url').pathToFileURL(file).href;
  try {
    return await import(url);
  } catch (e) {
    const shared = process.env._GATEHOUSE_MODULES;
    if (e.code !== 'ERR_MODULE_NOT_FOUND' || !shared) throw e;
    // ES modules don't look in NODE_PATH: look there for what wasn't found, then load once more under another URL,
    // because a failed import is remembered.
    require('node:module').register('data:text/javascript,' + encodeURIComponent(`
      import { createRequire } from 'node:module';
      import { pathToFileURL } from 'node:url';
      const roots = ${JSON.stringify(shared)}.split(':').map((d) => pathToFileURL(d + '/_.mjs').href);
      export async function resolve(specifier, context, next) {
        try { return await next(specifier, context); } catch (e) {
          if (e.code !== 'ERR_MODULE_NOT_FOUND' || /^[./]|^[a-z]+:/.test(specifier)) throw e;
          for (const parentURL of roots) {
            try { return await next(specifier, { ...context, parentURL }); } catch {}
          }
          throw e;
        }
      }`));
    return import(url + '?again');
  }
}

async function loadModule(root, dir, name) {
  const base = path.resolve(root, dir, name);
  const there = (ext) => fs.existsSync(base + ext);
  if (name !== '' && there('') && fs.statSync(base).isFile()) return require(base);
  if (there('.js')) return isModulePackage(path.dirname(base)) ? importModule(base + '.js') : requireOrImport(base + '.js');
  if (there('.mjs')) return importModule(base + '.mjs');
  if (there('.cjs')) return require(base + '.cjs');
  return require(require.resolve(name, { paths: [root, path.join(root, dir)] }));
}

function requireOrImport(file) {
  try {
    return require(file);
  } catch (e) {
    // Node 22 and later detect ES module syntax themselves; this covers top-level await, which require can't load.
    if (e.code === 'ERR_REQUIRE_ASYNC_MODULE') return importModule(file);
    throw e;
  }
}

const SHIPPED = /['"]?(@aws-sdk\/|@smithy\/|aws-sdk\b)/;

async function loadHandler(root, name) {
  if (name.includes('..')) {
    throw new MalformedHandlerName(
      `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  }
  const last = path.basename(name);
  const dir = name.substring(0, name.indexOf(last));
  const parts = /^([^.]*)\.(.*)$/.exec(last);
  if (!parts) throw new MalformedHandlerName('Bad handler');
  let module;
  try {
    module = await loadModule(root, dir, parts[1]);
  } catch (e) {
    if (e instanceof SyntaxError) throw new UserCodeSyntaxError(e);
    if (e?.code !== 'MODULE_NOT_FOUND' && e?.code !== 'ERR_MODULE_NOT_FOUND') throw e;
    let message = String(e);
    const missing = /Cannot find (?:module|package) '([^']+)'/.exec(message)?.[1];
    if (missing && SHIPPED.test(missing)) {
      message = message.replace(/(\n|$)/,
        ` (AWS ships it with the runtime: install it into a folder and start gatehouse with --function-modules DIR)$1`);
    }
    throw new ImportModuleError(message);
  }
  const handler = parts[2].split('.').reduce((o, key) => o && o[key], module);
  if (!handler) throw new HandlerNotFound(`${name} is undefined or not exported`);
  if (typeof handler !== 'function') throw new HandlerNotFound(`${name} is not a function`);
  return handler;
}

// ---- serving ----

let onIdle = () => {}; // what an empty event loop means right now
let fatalFrame = T.initError;

const env = process.env;
const fixed = {
  functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
  functionName: env.AWS_LAMBDA_FUNCTION_NAME,
  memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
  logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
  logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
};

function begin() {
  const event = readInvocation();
  requestId = event.requestId;
  if (event.traceId !== lastTrace) {
    lastTrace = event.traceId;
    if (event.traceId) env._X_AMZN_TRACE_ID = event.traceId;
    else delete env._X_AMZN_TRACE_ID;
  }
  fatalFrame = T.fatal;
  return event;
}
let lastTrace = '';

function describe(context, event) {
  const parsed = (text, name) => {
    if (!text) return undefined;
    try {
      return JSON.parse(text);
    } catch (e) {
      throw new Error(`Cannot parse ${name} as json: ${e}`);
    }
  };
  Object.assign(context, fixed);
  context.clientContext = parsed(event.clientContext, 'ClientContext');
  context.identity = parsed(event.identity, 'CognitoIdentity');
  context.invokedFunctionArn = event.arn;
  context.awsRequestId = event.requestId;
  const { deadline } = event;
  context.getRemainingTimeInMillis = () => deadline - Date.now();
  return context;
}

function serveBuffered(handler, isAsync) {
  const next = () => setImmediate(once);

  function once() {
    const event = begin();
    let waits = true;
    let called = false; // one of the callbacks has been called
    let answered = false;

    const failed = (e) => {
      onIdle = () => {};
      answered = true;
      logError('Invoke Error', e);
      sendError(T.error, e);
      next();
    };
    const answer = (value) => {
      if (answered) return;
      onIdle = () => {};
      answered = true;
      let text;
      try {
        text = JSON.stringify(value === undefined ? null : value);
        // A function or symbol has no JSON.
        if (text === undefined) text = 'null';
      } catch {
        failed(new Error('Unable to stringify response body'));
        return;
      }
      sendText(T.result, text);
      next();
    };
    const first = (f) => (...args) => {
      if (called) return;
      called = true;
      f(...args);
    };
    const done = (e, value) => (e !== undefined && e !== null ? failed(e) : answer(value));
    const callback = first((e, value) => {
      if (e !== undefined && e !== null) failed(e);
      else if (!waits) answer(value);
      else onIdle = () => setImmediate(answer, value);
    });
    const context = {
      get callbackWaitsForEmptyEventLoop() { return waits; },
      set callbackWaitsForEmptyEventLoop(value) { waits = value; },
      done: first(done),
      succeed: first((value) => done(null, value)),
      fail: first((e) => done(e ?? 'handled')),
    };
    // Nothing is left to run and nobody answered: an async handler's promise can't settle any more.
    onIdle = () => {
      called = true;
      if (!isAsync) answer(null);
      else failed(new NodeJsExit('The handler\'s promise was never settled and nothing is left to run: the Node.js event loop is empty.'));
    };

    try {
      const result = handler(JSON.parse(event.body), describe(context, event), callback);
      if (typeof result?.then === 'function') result.then(context.succeed, context.fail).catch(context.fail);
    } catch (e) {
      callback(e);
    }
  }
  next();
}

function responseStream(watermark) {
  const { Writable } = require('node:stream');
  let contentType = 'application/octet-stream';
  let started = false;
  const start = () => {
    if (started) return;
    started = true;
    sendText(T.streamStart, contentType);
  };
  const bytes = (chunk, encoding) => (typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
  const inner = new Writable({
    highWaterMark: watermark,
    decodeStrings: false,
    write(chunk, encoding, done) {
      start();
      sendBytes(T.streamData, bytes(chunk, encoding));
      done();
    },
    final(done) {
      start();
      done();
    },
  });
  let wrote = false;
  const write = inner.write.bind(inner);
  inner.write = (chunk, encoding, done) => {
    if (typeof chunk !== 'string' && !Buffer.isBuffer(chunk) && chunk?.constructor !== Uint8Array) {
      chunk = JSON.stringify(chunk);
    }
    if (!wrote) {
      wrote = true;
      inner._onBeforeFirstWrite?.((first) => write(first));
    }
    return write(chunk, encoding, done);
  };
  const end = inner.end.bind(inner);
  inner.end = (chunk, encoding, done) => {
    if (typeof chunk === 'function') return end(chunk);
    if (chunk !== undefined && chunk !== null) inner.write(chunk, encoding);
    else if (!wrote) {
      wrote = true;
      inner._onBeforeFirstWrite?.((first) => write(first));
    }
    return end(typeof encoding === 'function' ? encoding : done);
  };
  inner.setContentType = (type) => {
    if (wrote) throw new InvalidStreamingOperation('Cannot set content-type, too late.');
    contentType = type;
  };
  return { inner, start };
}

function serveStreaming(handler) {
  const next = () => setImmediate(once);

  function once() {
    const event = begin();
    const { inner, start } = responseStream(handler[WATERMARK]);
    let waits = true;
    let over = false;
    const finish = (e) => {
      if (over) return;
      over = true;
      onIdle = () => {};
      if (e === undefined) {
        start();
        sendText(T.streamEnd, '');
      } else {
        logError('Invoke Error', e);
        start();
        sendText(T.streamEnd, JSON.stringify(errorDocument(e)));
      }
      if (waits && e === undefined) onIdle = next;
      else next();
    };
    const context = {
      get callbackWaitsForEmptyEventLoop() { return waits; },
      set callbackWaitsForEmptyEventLoop(value) { waits = value; },
    };
    inner.on('error', finish);
    onIdle = () => finish(new NodeJsExit('The response stream was not ended and nothing is left to run: the Node.js event loop is empty.'));
    let result;
    try {
      result = handler(JSON.parse(event.body), inner, describe(context, event));
    } catch (e) {
      finish(e);
      return;
    }
    if (typeof result?.then !== 'function') {
      finish(new MalformedStreamingHandler('Streaming does not support non-async handlers.'));
      return;
    }
    result.then(() => {
      if (inner.writableFinished) finish();
      else inner.once('finish', () => finish());
    }, finish);
  }
  next();
}

function die(error, code) {
  sendError(fatalFrame, error);
  process.exit(code);
}

async function main() {
  patchConsole();
  process.on('uncaughtException', (e) => {
    logError('Uncaught Exception', e);
    die(e, 129);
  });
  process.on('unhandledRejection', (reason, promise) => {
    const error = Object.assign(new UnhandledPromiseRejection(reason), { reason, promise });
    logError('Unhandled Promise Rejection', error);
    die(error, 128);
  });
  process.on('beforeExit', () => onIdle());
  defineGlobals();

  const handler = await loadHandler(env.LAMBDA_TASK_ROOT, env._HANDLER);
  const streaming = handler[STREAMING];
  if (streaming && streaming !== 'response') throw new MalformedStreamingHandler('Only response streaming is supported.');
  const isAsync = handler.constructor?.name === 'AsyncFunction';
  const major = Number(/nodejs(\d+)/.exec(env.AWS_EXECUTION_ENV)?.[1]);
  if (!streaming && !isAsync && handler.length >= 3 && major >= 24) {
    throw new CallbackHandlerDeprecated(
      'Handlers that take a callback are not supported from nodejs24.x on: make the handler async.');
  }
  sendText(T.ready, '');
  if (streaming) serveStreaming(handler);
  else serveBuffered(handler, isAsync);
}

main().catch((e) => {
  logError('Uncaught Exception', e);
  die(e, 129);
});
