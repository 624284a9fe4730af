// Package lambdaevent turns an exchange into the event a Lambda function is
// called with, and the function's result into a response, for every payload
// version of HTTP APIs, for REST APIs and for the three events of WebSocket APIs.
//
// It is pure: it calls nothing, keeps nothing and imports package plan only.
// Events are written and results read by hand, without reflection or maps,
// because this is on the path of every request to a function. The next stop is
// integrate, which makes the call.
package lambdaevent
