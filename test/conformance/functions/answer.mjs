// Returns the JSON in the request's body as its result. {"do": "throw"} throws,
// "exit" ends the process, "hang" never returns, and "fill" returns a body of
// "length" characters.
export const handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  const result = JSON.parse(body);
  switch (result?.do) {
    case "throw":
      throw new Error("told to");
    case "exit":
      process.exit(3);
    case "hang":
      return new Promise(() => setInterval(() => {}, 1000));
    case "fill":
      return { statusCode: 200, body: "x".repeat(result.length) };
    default:
      return result;
  }
};
