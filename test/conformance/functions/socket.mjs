// A WebSocket API's function. It writes each event into its log, as JSON. A
// message or, on $connect, the query's "order" is JSON that says what to do:
// {"return": value} returns the value, {"throw": text} throws, {"exit": 1} ends
// the process, {"hang": 1} never returns, {"fill": N} returns a body of N
// characters, {"echo": 1} the message as the body. Else it returns its event as
// the body.
const write = (text) => new Promise((resolve) => process.stdout.write(text + "\n", resolve));

export const handler = async (event) => {
  await write(JSON.stringify(event));
  let order = null;
  try {
    order = JSON.parse(event.body ?? event.queryStringParameters?.order ?? "null");
  } catch {
    // Not for this function.
  }
  if (order?.throw !== undefined) {
    throw new Error(order.throw);
  }
  if (order?.exit) {
    process.exit(3);
  }
  if (order?.hang) {
    return new Promise(() => setInterval(() => {}, 1000));
  }
  if (order?.fill) {
    return { statusCode: 200, body: "x".repeat(order.fill) };
  }
  if (order?.echo) {
    return { statusCode: 200, body: event.body };
  }
  if (order !== null && typeof order === "object" && "return" in order) {
    return order.return;
  }
  return { statusCode: 200, body: JSON.stringify(event) };
};
