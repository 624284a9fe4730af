export const handler = async (event) => ({
  greeting: process.env.GREETING,
  route: event.routeKey ?? event.resource,
  stage: event.requestContext?.stage,
  mapped: [event.headers?.['x-mapped'], event.rawQueryString],
});
