// Tells whose token the request came with.
export const handler = async (event) => {
  const { claims, scopes } = event.requestContext.authorizer.jwt;
  return {
    statusCode: event.requestContext.http.method === "POST" ? 201 : 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ person: claims.username, scopes, notes: ["water the plants"] }),
  };
};
