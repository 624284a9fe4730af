// Returns its event as it came. {"throw": "text"} throws an error of that text,
// {"return": value} returns the value, {"hang": true} never returns.
export const handler = async (event) => {
  if (event?.throw !== undefined) {
    throw new Error(event.throw);
  }
  if (event?.hang) {
    return new Promise(() => setInterval(() => {}, 1000));
  }
  return event !== null && typeof event === "object" && "return" in event ? event.return : event;
};
