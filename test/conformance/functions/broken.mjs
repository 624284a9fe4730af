// Fails before it has a handler.
throw new Error("broken");
