// Signed calls of AWS services, without an SDK: the chat needs two of them, and
// the SDK isn't part of every runtime (AWS's Node.js has it, a plain Node.js
// hasn't). With the SDK, send(...) would be PostToConnectionCommand and
// InvokeCommand.
import { createHash, createHmac } from "node:crypto";

const hash = (data) => createHash("sha256").update(data).digest("hex");
const hmac = (key, data) => createHmac("sha256", key).update(data).digest();
const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());

// endpoint is where a service answers: AWS_ENDPOINT_URL is set where functions
// run on a gateway of one's own, and never on AWS.
export const endpoint = (service) => process.env.AWS_ENDPOINT_URL ?? `https://${service}.${process.env.AWS_REGION}.amazonaws.com`;

// send makes a POST that is signed for a service with the function's own
// credentials (Signature Version 4).
export async function send(service, address, body) {
  const { AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
  const url = new URL(address);
  const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, ""); // 20060102T150405Z
  const date = time.slice(0, 8);
  const headers = { "x-amz-date": time };
  if (AWS_SESSION_TOKEN) headers["x-amz-security-token"] = AWS_SESSION_TOKEN;

  // What is signed: method, path (encoded once more than it is sent), query,
  // headers by name, and the hash of the body.
  const signed = { host: url.host, ...headers };
  const names = Object.keys(signed).sort();
  const request = ["POST", url.pathname.split("/").map(encode).join("/"), "",
    ...names.map((name) => `${name}:${signed[name]}`), "", names.join(";"), hash(body)].join("\n");
  const scope = `${date}/${AWS_REGION}/${service}/aws4_request`;
  const key = [date, AWS_REGION, service, "aws4_request"].reduce(hmac, "AWS4" + AWS_SECRET_ACCESS_KEY);
  const signature = hmac(key, ["AWS4-HMAC-SHA256", time, scope, hash(request)].join("\n")).toString("hex");
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${AWS_ACCESS_KEY_ID}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;

  const attempt = () => fetch(url, { method: "POST", headers, body });
  // A function is frozen between two events, and a connection that was kept may
  // have ended meanwhile; that shows only when it is used.
  return attempt().catch(attempt);
}
