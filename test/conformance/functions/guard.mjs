// A Lambda authorizer for all payloads. It writes each event into its log, as
// JSON, and does what the token says: "allow" and "deny" answer a policy for
// what is called, "yes" and "no" a simple answer; else the token is JSON:
//
//	{"return": value}     answers the value as it stands
//	{"throw": text}       throws; {"exit": 1} ends the process; {"hang": 1} never answers
//	{"effect", "action"}  those of the one statement; Allow and execute-api:Invoke by default
//	{"resource": text}    the statement's resource below the stage, or an ARN; a list is several
//	{"statements": []}    the policy's statements
//	{"principal": text}   the principalId; null is none
//	{"context": {}}       more of the context, in which invocation is this call's id
//	{"key": text}         the usageIdentifierKey
//	{"event": 1}          adds the event to the context, as JSON
//	{"simple": true}      a simple answer
const write = (text) => new Promise((resolve) => process.stdout.write(text + "\n", resolve));

const tokenOf = (event) => {
  const sources = [].concat(event.identitySource ?? []);
  return event.authorizationToken ?? sources[0] ?? event.headers?.Authorization ?? event.headers?.authorization ?? event.queryStringParameters?.auth;
};

const readToken = (token) => {
  switch (token) {
    case "allow":
      return {};
    case "deny":
      return { effect: "Deny" };
    case "yes":
      return { simple: true };
    case "no":
      return { simple: false };
  }
  try {
    return JSON.parse(token);
  } catch {
    return {};
  }
};

export const handler = async (event, { awsRequestId }) => {
  await write(JSON.stringify(event));
  const order = readToken(tokenOf(event));
  if ("return" in order) return order.return;
  if ("throw" in order) throw new Error(order.throw);
  if (order.exit) process.exit(3);
  if (order.hang) return new Promise(() => setInterval(() => {}, 1000));

  const context = { invocation: awsRequestId, ...order.context };
  if (order.event) context.event = JSON.stringify(event);
  if ("simple" in order) return { isAuthorized: order.simple, context };

  const arn = event.methodArn ?? event.routeArn;
  const stage = arn.split("/").slice(0, 2).join("/");
  const resources = [].concat(order.resource ?? arn).map((r) => (r.startsWith("arn:") || r === "*" ? r : `${stage}/${r}`));
  const answer = {
    principalId: order.principal === undefined ? "me" : order.principal,
    policyDocument: {
      Version: "2012-10-17",
      Statement: order.statements ?? [{ Action: order.action ?? "execute-api:Invoke", Effect: order.effect ?? "Allow", Resource: resources }],
    },
    context,
  };
  if (order.principal === null) delete answer.principalId;
  if (order.key) answer.usageIdentifierKey = order.key;
  return answer;
};
