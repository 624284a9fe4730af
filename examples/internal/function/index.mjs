// Tells who signed the request.
export const handler = async (event) => ({
  statusCode: event.requestContext.http.method === "POST" ? 201 : 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ caller: event.requestContext.authorizer.iam.userArn, reports: ["march", "april"] }),
});
