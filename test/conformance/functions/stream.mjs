// Streams what the request's body says: {"metadata": {…}, "body": text}, or
// {"raw": text} without metadata and delimiter. Without a body it streams its
// event.
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  const order = event.body ? JSON.parse(event.body) : { metadata: { statusCode: 200 }, body: JSON.stringify(event) };
  if (order.raw !== undefined) {
    stream.setContentType("text/plain");
    stream.write(order.raw);
  } else {
    stream = awslambda.HttpResponseStream.from(stream, order.metadata);
    stream.write(order.body ?? "");
  }
  stream.end();
  await new Promise((resolve) => stream.on("finish", resolve));
});
