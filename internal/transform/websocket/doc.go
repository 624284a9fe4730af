// Package websocket evaluates the selection expressions of WebSocket APIs:
// "$request.body.action", "${request.body.a}/${request.body.b}",
// "${integration.response.statuscode}" and literal text. They choose the route
// of a message, the model that it has to be like, and the templates of its
// integration.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html
//
// An expression is read once, when a stage is compiled; per message it only
// appends to the exchange's memory. What is chosen is made by package rest.
//
// It imports plan and transform.
package websocket
