// Package contextvar is the $context of API Gateway's HTTP APIs, of its REST APIs
// and of its WebSocket APIs: which variables there are, from which moment of a request on each has a
// value, and what it says of an exchange. It has no syntax of its own: observe
// finds the names in access log formats, transform in parameter mappings and
// templates, and each says how text from outside is to be escaped.
//
// It imports package plan only. A new variable of HTTP APIs or of all is a case
// in variables.go, one of REST APIs a case in rest.go, one of WebSocket APIs a
// case in websocket.go.
package contextvar
