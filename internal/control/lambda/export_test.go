package lambda

// CheckPayload is checkPayload, for its fuzz target.
var CheckPayload = checkPayload
