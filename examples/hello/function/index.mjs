// The function behind GET /hello. Its event is API Gateway's payload format 2.0.
export const handler = async (event, context) => {
  const name = event.queryStringParameters?.name ?? "world";
  return {
    statusCode: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      message: `Hello, ${name}!`,
      function: context.functionName,
      route: event.routeKey,
      requestId: event.requestContext.requestId,
    }),
  };
};
