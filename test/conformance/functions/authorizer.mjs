// A Lambda authorizer that does what the token says: allow, deny, nothing (a
// policy for another method), unauthorized, throw, a number as context, key-KEY,
// which allows and says whose API key counts, or event, which allows and hands
// the event on.
export const handler = async (event) => {
  const token = event.authorizationToken ?? event.headers?.Authorization ?? event.queryStringParameters?.auth;
  const policy = (effect, resource = event.methodArn, context = { number: 1, truth: true, text: "t" }) => ({
    principalId: "me",
    policyDocument: { Version: "2012-10-17", Statement: [{ Action: "execute-api:Invoke", Effect: effect, Resource: resource }] },
    context,
  });
  if (token?.startsWith("key-")) return { ...policy("Allow"), usageIdentifierKey: token.slice("key-".length) };
  switch (token) {
    case "allow":
      return policy("Allow");
    case "deny":
      return policy("Deny");
    case "nothing":
      return policy("Allow", event.methodArn + "/elsewhere");
    case "unauthorized":
      throw new Error("Unauthorized");
    case "throw":
      throw new Error("told to");
    case "list":
      return policy("Allow", event.methodArn, { list: [1] });
    case "unknown":
      return { ...policy("Allow"), errorType: "x" };
    case "event":
      return policy("Allow", event.methodArn, { event: JSON.stringify(event) });
    default:
      return null;
  }
};
