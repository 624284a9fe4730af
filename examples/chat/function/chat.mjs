// The function behind all routes of the chat. A client sends
//
//   {"action": "join", "room": "tea", "name": "Ann"}
//   {"action": "say", "text": "Hello"}
//
// and is sent
//
//   {"type": "joined", "room": "tea", "name": "Ann", "names": ["Bob", "Ann"], "said": 6}   you are in
//   {"type": "entered", "name": "Ann", "names": [...]}                                     somebody else is
//   {"type": "left", "name": "Ann", "names": [...]}                                        somebody isn't any more
//   {"type": "said", "n": 7, "name": "Ann", "text": "Hello"}                               the room's 7th message
//   {"type": "error", "code": "not-joined", "message": "..."}
import { endpoint, send } from "./aws.mjs";

const longest = { room: 40, name: 40, text: 4000 };

const routes = {
  // The connection isn't open before this has answered: nothing can be sent to
  // it yet. Another status than 200 would refuse it.
  $connect: async () => {},

  $disconnect: async (id, event) => tellLeft(event, await store({ operation: "leave", id })),

  join: async (id, event) => {
    const { room, name } = fields(event, "room", "name");
    const seen = await store({ operation: "join", id, room, name });
    if (seen.taken) throw new Refusal("name-taken", `The name ${name} is taken in ${room}.`);
    await tellLeft(event, seen.left);
    const { names, said } = seen;
    await tell(event, [id], { type: "joined", room, name, names, said });
    await tell(event, seen.ids.filter((other) => other !== id), { type: "entered", name, names });
  },

  say: async (id, event) => {
    const { text } = fields(event, "text");
    const seen = await store({ operation: "say", id });
    if (!seen) throw new Refusal("not-joined", "You are in no room.");
    await tell(event, seen.ids, { type: "said", n: seen.said, name: seen.name, text });
  },

  // This route has a route response: what the function returns goes back to the
  // client, no call is needed.
  $default: async () => ({ type: "error", code: "unknown-action", message: 'Send an "action": "join" or "say".' }),
};

export const handler = async (event) => {
  const { routeKey, connectionId } = event.requestContext;
  try {
    const answer = await routes[routeKey](connectionId, event);
    return { statusCode: 200, body: answer && JSON.stringify(answer) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await tell(event, [connectionId], { type: "error", code: error.code, message: error.message });
    return { statusCode: 400 };
  }
};

// A Refusal is what a client is told it did wrong.
class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

// fields are the texts in a message, which are wanted and not too long.
function fields(event, ...names) {
  const message = JSON.parse(event.body);
  return Object.fromEntries(names.map((name) => {
    const text = typeof message[name] === "string" ? message[name].trim() : "";
    if (!text || text.length > longest[name]) throw new Refusal("bad-message", `"${name}" has to be a text of 1 to ${longest[name]} characters.`);
    return [name, text];
  }));
}

// tellLeft tells a room whom it lost.
async function tellLeft(event, seen) {
  if (seen) await tell(event, seen.ids, { type: "left", name: seen.name, names: seen.names });
}

// tell sends a message to connections, to all at once. Those that are gone leave
// their room, in case their $disconnect never came.
async function tell(event, ids, message) {
  const { domainName, stage } = event.requestContext;
  const body = JSON.stringify(message);
  const gone = [];
  await Promise.all(ids.map(async (id) => {
    const answer = await send("execute-api", `https://${domainName}/${stage}/@connections/${encodeURIComponent(id)}`, body);
    await answer.arrayBuffer(); // so that the connection can be used again
    if (answer.status === 410) gone.push(id);
    // One who reads too slowly misses a message; that is no reason to keep the
    // others waiting.
    else if (!answer.ok) console.warn("not sent to", id, answer.status, answer.headers.get("x-amzn-errortype"));
  }));
  for (const id of gone) await tellLeft(event, await store({ operation: "leave", id }));
}

// store asks the other function. It takes one question at a time and refuses
// the others (429), which come again a moment later.
async function store(question) {
  const address = `${endpoint("lambda")}/2015-03-31/functions/${process.env.STORE}/invocations`;
  for (let attempt = 1; ; attempt++) {
    const answer = await send("lambda", address, JSON.stringify(question));
    const text = await answer.text();
    if (answer.ok && !answer.headers.has("x-amz-function-error")) return JSON.parse(text);
    if (answer.status !== 429 || attempt === 40) throw new Error(`${process.env.STORE} answered ${answer.status}: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(5 * attempt, 200)));
  }
}
